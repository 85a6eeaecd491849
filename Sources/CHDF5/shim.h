#ifndef SPAR_CHDF5_SHIM_H
#define SPAR_CHDF5_SHIM_H

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

// Macros of HDF5 that Swift does not import: each opens the library and then names a global.

static inline hid_t spar_h5_f32(void) { return H5T_NATIVE_FLOAT; }
/// A 16-bit float of `exponent` exponent bits in the machine's byte order; negative on failure.
static inline hid_t spar_h5_make_16(size_t exponent, size_t bias) {
  hid_t made = H5Tcopy(H5T_NATIVE_FLOAT);
  if (made < 0 || H5Tset_fields(made, 15, 15 - exponent, exponent, 0, 15 - exponent) < 0 ||
      H5Tset_size(made, 2) < 0 || H5Tset_ebias(made, bias) < 0)
    return -1;
  return made;
}
/// IEEE half precision, made on first use and kept; callers hold the library's lock.
static inline hid_t spar_h5_f16(void) {
  static hid_t type = -1;
  if (type < 0) type = spar_h5_make_16(5, 15);
  return type;
}
/// The upper half of an f32, made on first use and kept; callers hold the library's lock.
static inline hid_t spar_h5_bf16(void) {
  static hid_t type = -1;
  if (type < 0) type = spar_h5_make_16(8, 127);
  return type;
}
static inline hid_t spar_h5_f64(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t spar_h5_i8(void) { return H5T_NATIVE_INT8; }
static inline hid_t spar_h5_i32(void) { return H5T_NATIVE_INT32; }
static inline hid_t spar_h5_i64(void) { return H5T_NATIVE_INT64; }
static inline hid_t spar_h5_u8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t spar_h5_u64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t spar_h5_c_string(void) { return H5T_C_S1; }
static inline size_t spar_h5_variable(void) { return H5T_VARIABLE; }
static inline hsize_t spar_h5_unlimited(void) { return H5S_UNLIMITED; }

static inline unsigned spar_h5_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned spar_h5_read_only(void) { return H5F_ACC_RDONLY; }

static inline hid_t spar_h5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t spar_h5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t spar_h5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t spar_h5_link_create(void) { return H5P_LINK_CREATE; }
static inline hid_t spar_h5_dataset_create(void) { return H5P_DATASET_CREATE; }

// The error stack as text: what the call said first, then what lay at the bottom of it.

typedef struct spar_h5_error_text {
  char outer[512];
  char inner[512];
} spar_h5_error_text;

static inline herr_t spar_h5_collect_error(unsigned n, const H5E_error2_t *error, void *context) {
  spar_h5_error_text *text = (spar_h5_error_text *)context;
  const char *what = error->desc ? error->desc : "";
  snprintf(n == 0 ? text->outer : text->inner, 512, "%s", what);
  return 0;
}

/// Fills `text` from the calling thread's error stack and clears the stack.
static inline void spar_h5_take_error(spar_h5_error_text *text) {
  memset(text, 0, sizeof *text);
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, spar_h5_collect_error, text);
  H5Eclear2(H5E_DEFAULT);
}

static inline const char *spar_h5_outer(const spar_h5_error_text *text) { return text->outer; }
static inline const char *spar_h5_inner(const spar_h5_error_text *text) { return text->inner; }

/// Stops HDF5 from printing errors itself. The setting belongs to a thread.
static inline void spar_h5_be_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

#endif
