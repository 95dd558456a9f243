/** A stream as it is; `onEnd` is called when it has ended, failed or was cancelled. */
export function untilEnd(
  stream: ReadableStream<Uint8Array>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        onEnd();
      },
      cancel: async (reason) => {
        onEnd();
        await reader.cancel(reason);
      },
    },
    // Nothing is read ahead of who reads.
    { highWaterMark: 0 },
  );
}
