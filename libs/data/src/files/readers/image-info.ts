/** What an image file declares of itself before it is decoded. */
export interface ImageInfo {
  readonly format: 'png' | 'jpeg';
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Rows stored in several passes (PNG only). */
  readonly interlaced: boolean;
}

/** Why a header could not be understood, with the byte at which that shows. */
export interface ImageProblem {
  readonly problem: string;
  readonly position: number;
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Signature, then the IHDR chunk: length, type, 13 bytes of data. */
const PNG_HEADER_BYTES = 29;

// Bit 1 of a PNG colour type means colour; without it the image is gray.
const PNG_COLOUR_BIT = 2;

/** Reads the header of a PNG or JPEG file, told apart by their first bytes. */
export function imageInfo(bytes: Buffer): ImageInfo | ImageProblem {
  if (bytes.length >= 8 && bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return pngInfo(bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegInfo(bytes);
  return { problem: 'is neither a PNG nor a JPEG file', position: 0 };
}

function pngInfo(bytes: Buffer): ImageInfo | ImageProblem {
  if (bytes.length < PNG_HEADER_BYTES) {
    return { problem: 'ends inside the PNG header', position: bytes.length };
  }
  if (bytes.toString('latin1', 12, 16) !== 'IHDR') {
    return { problem: 'the first PNG chunk is not IHDR', position: 12 };
  }
  return {
    format: 'png',
    width: bytes.readUInt32BE(16),
    height: bytes.readUInt32BE(20),
    channels: (bytes[25]! & PNG_COLOUR_BIT) === 0 ? 1 : 3,
    interlaced: bytes[28] !== 0,
  };
}

/** Walks the marker segments up to the frame header (SOF), ITU-T T.81 annex B. */
function jpegInfo(bytes: Buffer): ImageInfo | ImageProblem {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return { problem: 'a JPEG marker is missing', position: at };
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at += 1; // fill byte
    } else if (isFrameHeader(marker)) {
      return frameInfo(bytes, at);
    } else {
      at += 2 + bytes.readUInt16BE(at + 2);
    }
  }
  return { problem: 'ends before the JPEG frame header', position: bytes.length };
}

/** SOF0 to SOF15 without the three codes between them that mean tables (DHT, JPG, DAC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function frameInfo(bytes: Buffer, at: number): ImageInfo | ImageProblem {
  const numComponents = bytes[at + 9]!;
  if (numComponents !== 1 && numComponents !== 3) {
    return {
      problem: `has ${numComponents} colour components; expected 1 (gray) or 3 (RGB)`,
      position: at + 9,
    };
  }
  return {
    format: 'jpeg',
    height: bytes.readUInt16BE(at + 5),
    width: bytes.readUInt16BE(at + 7),
    channels: numComponents,
    interlaced: false,
  };
}
