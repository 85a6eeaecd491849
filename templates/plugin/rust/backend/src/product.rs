//! The product of two float32 matrices in plain tiled loops.  Make `rows` fast first.

/// Rows of one slice, and the tile of B [DEPTH, COLUMNS], which fits the L1 cache.
pub const ROWS: usize = 16;
const COLUMNS: usize = 64;
const DEPTH: usize = 128;

/// A matrix as it lies in memory; transposed by swapping its strides.
#[derive(Clone, Copy)]
pub struct Matrix {
    pub data: *mut f32,
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl Matrix {
    /// # Safety
    /// i < rows, j < columns, and the memory is alive.
    unsafe fn at(&self, i: usize, j: usize) -> *mut f32 {
        self.data.add(i * self.row_stride + j * self.column_stride)
    }

    pub fn transposed(self, wanted: bool) -> Self {
        if !wanted {
            return self;
        }
        Matrix {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// C = alpha A B + beta C + bias; `bias` [columns] may be null.
pub struct Product {
    pub a: Matrix,
    pub b: Matrix,
    pub bias: *const f32,
    pub c: Matrix,
    pub alpha: f32,
    pub beta: f32,
}

// SAFETY: slices read A and B, and write rows of C that no other slice touches.
unsafe impl Sync for Product {}

impl Product {
    pub fn fits(&self) -> bool {
        self.a.rows == self.c.rows
            && self.b.columns == self.c.columns
            && self.a.columns == self.b.rows
    }

    /// Rows [begin, end) of C, at most ROWS of them.  Each cell is summed in the same order
    /// whatever the thread count, which is what the flag DETERMINISTIC claims.
    ///
    /// # Safety
    /// The shapes fit and the memory is alive.
    #[allow(clippy::needless_range_loop)] // i, j, p are those of the formula
    pub unsafe fn rows(&self, begin: usize, end: usize) {
        let mut tile = [[0f32; COLUMNS]; DEPTH];
        for j0 in (0..self.b.columns).step_by(COLUMNS) {
            let width = COLUMNS.min(self.b.columns - j0);
            let mut sum = [[0f32; COLUMNS]; ROWS];
            for p0 in (0..self.a.columns).step_by(DEPTH) {
                let depth = DEPTH.min(self.a.columns - p0);
                // Columns beyond `width` hold what they held: they are computed, never stored.
                for j in 0..width {
                    for p in 0..depth {
                        tile[p][j] = *self.b.at(p0 + p, j0 + j);
                    }
                }
                for i in begin..end {
                    for (p, line) in tile[..depth].iter().enumerate() {
                        let a = *self.a.at(i, p0 + p);
                        for (cell, b) in sum[i - begin].iter_mut().zip(line) {
                            *cell += a * b;
                        }
                    }
                }
            }
            for i in begin..end {
                for j in 0..width {
                    self.store(i, j0 + j, sum[i - begin][j]);
                }
            }
        }
    }

    unsafe fn store(&self, i: usize, j: usize, sum: f32) {
        let cell = self.c.at(i, j);
        let mut value = self.alpha * sum;
        if self.beta != 0.0 {
            value += self.beta * *cell; // beta 0: C is not read, it may hold NaN
        }
        if !self.bias.is_null() {
            value += *self.bias.add(j);
        }
        *cell = value;
    }
}
