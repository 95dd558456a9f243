// Row-major matrices in plain arithmetic: the same operations in the same order on every rank.

/** `matrix * factor`, shape [rows, rank], for shapes [rows, columns] and [columns, rank]. */
export function multiply(
  matrix: Float32Array,
  factor: Float64Array,
  columns: number,
  rank: number,
): Float64Array {
  const rows = matrix.length / columns;
  const product = new Float64Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = matrix[row * columns + column] ?? 0;
      for (let k = 0; k < rank; k++) {
        product[row * rank + k]! += value * factor[column * rank + k]!;
      }
    }
  }
  return product;
}

/** The transposed `matrix` times `factor`, shape [columns, rank], for [rows, columns] and [rows, rank]. */
export function multiplyTransposed(
  matrix: Float32Array,
  factor: Float64Array,
  columns: number,
  rank: number,
): Float64Array {
  const rows = matrix.length / columns;
  const product = new Float64Array(columns * rank);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = matrix[row * columns + column] ?? 0;
      for (let k = 0; k < rank; k++) {
        product[column * rank + k]! += value * factor[row * rank + k]!;
      }
    }
  }
  return product;
}

/** `left` times the transposed `right`, shape [rows, columns], for [rows, rank] and [columns, rank]. */
export function expand(left: Float64Array, right: Float64Array, rank: number): Float64Array {
  const [rows, columns] = [left.length / rank, right.length / rank];
  const product = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[row * rank + k]! * right[column * rank + k]!;
      product[row * columns + column] = sum;
    }
  }
  return product;
}

/** A column of which less than this share is left has no direction of its own. */
const LEAST_SHARE = 1e-10;

/**
 * Makes the columns of a [rows, rank] matrix orthonormal, in place, by the modified Gram-Schmidt
 * process. A column that depends on those before it becomes zero.
 */
export function orthonormalise(matrix: Float64Array, rank: number): void {
  const rows = matrix.length / rank;
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += matrix[row * rank + a]! * matrix[row * rank + b]!;
    return sum;
  };
  for (let column = 0; column < rank; column++) {
    const whole = Math.sqrt(dot(column, column));
    for (let before = 0; before < column; before++) {
      const share = dot(column, before);
      for (let row = 0; row < rows; row++) {
        matrix[row * rank + column]! -= share * matrix[row * rank + before]!;
      }
    }
    const left = Math.sqrt(dot(column, column));
    const scale = left > LEAST_SHARE * whole ? 1 / left : 0;
    for (let row = 0; row < rows; row++) matrix[row * rank + column]! *= scale;
  }
}
