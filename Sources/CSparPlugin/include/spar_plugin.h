/*
 * spar_plugin.h - the Spar plugin ABI, generation 1.
 *
 * A plugin is one shared library that exports ONE symbol, spar_plugin_entry_v1,
 * and offers any number of components: objectives, rankers, compute backends,
 * collectives.  Plain C11, usable from C++11, Rust (bindgen) and Swift.
 *
 * Rules of the whole interface
 *  compat   Entry symbol = generation.  Inside a generation structs only grow at
 *           the end and never change meaning.  Structs marked [grows] start with
 *           struct_size = sizeof() as their WRITER compiled it; a reader takes
 *           min(struct_size, its own sizeof) bytes and treats the rest as zero
 *           (spar_adopt below).  Zero/NULL always means "absent, use default".
 *           Structs marked [frozen] never change in this generation.
 *           A [grows] struct's tag ends in its revision (_r0); whoever appends a
 *           field bumps the tag.  C does not care, but Swift keys its run-time
 *           metadata of C structs by tag, across all loaded images.
 *  types    Fixed-width integers, double, pointers.  No enums, bool, bit-fields,
 *           unions or varargs in any layout.  Strings are UTF-8, NUL-terminated.
 *  memory   Who allocates, frees.  Pointers handed in are borrowed for the call.
 *           Descriptors and vtables live until the process ends: Spar never
 *           unloads a library whose init() it has called.
 *  errors   Fallible calls return spar_status.  Before returning nonzero, call
 *           host->set_error(host, text) on the same thread.  No C++ exception,
 *           Rust panic, Swift error, longjmp, exit() or abort() may cross.
 *  threads  [main] the host's control thread; [serial] any thread, one call at a
 *           time per instance; [any] any thread, concurrently.
 *  manners  Nothing on stdout.  Leave signal handlers, locale, working directory
 *           and FP mode (rounding, FTZ/DAZ) as found.  No AVX before probe().
 */
#ifndef SPAR_PLUGIN_H
#define SPAR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define SPAR_EXPORT __declspec(dllexport)
#else
#define SPAR_EXPORT __attribute__((visibility("default")))
#endif

#define SPAR_ABI_GENERATION 1u /* breaking; also in the entry symbol's name */
#define SPAR_ABI_REVISION 1u   /* additive; informational, sizes decide     */
#define SPAR_ENTRY_SYMBOL "spar_plugin_entry_v1"

/* ---------------------------------------------------------------- status -- */

typedef int32_t spar_status;
enum {
  SPAR_OK = 0,
  SPAR_UNSUPPORTED = 1, /* not an error: nothing was written, host falls back */
  SPAR_E_INVALID = 2,   /* bad argument or option                             */
  SPAR_E_NOMEM = 3,
  SPAR_E_IO = 4,
  SPAR_E_DEVICE = 5, /* hardware or driver                                    */
  SPAR_E_PEER = 6,   /* another rank failed or left                           */
  SPAR_E_CANCELLED = 7,
  SPAR_E_INTERNAL = 8
};

enum { SPAR_LOG_DEBUG = 0, SPAR_LOG_INFO = 1, SPAR_LOG_WARN = 2, SPAR_LOG_ERROR = 3 };

/* ------------------------------------------------------------------ host -- */

/* One slice [begin, end) of a parallel loop; worker is in [0, thread_count). */
typedef void (*spar_range_fn)(void *arg, int64_t begin, int64_t end, int32_t worker);

/* [grows] What the host offers.  Valid from init() until the process ends; every
 * member of revision 0 is set. */
typedef struct spar_host_r0 spar_host;
struct spar_host_r0 {
  uint64_t struct_size;
  uint32_t generation, revision; /* as the host was compiled */
  const char *name, *version;
  void *ctx; /* host's own */

  /* [any] align is a power of two; free takes the pair given to alloc. */
  void *(*alloc)(const spar_host *h, uint64_t bytes, uint64_t align);
  void (*free)(const spar_host *h, void *p, uint64_t bytes, uint64_t align);
  /* [any] text is copied. */
  void (*log)(const spar_host *h, int32_t level, const char *text);
  /* [any] Sets the calling thread's error text (copied). */
  void (*set_error)(const spar_host *h, const char *text);
  /* [any] Runs fn over [0, n) in slices of exactly `grain` (the last may be short),
   * so results need not depend on the thread count.  The caller takes part;
   * returns when all are done.  From inside a slice it runs inline. */
  void (*parallel_for)(const spar_host *h, int64_t n, int64_t grain, spar_range_fn fn, void *arg);
  int32_t (*thread_count)(const spar_host *h); /* [any] the thread budget      */
  int32_t (*cancelled)(const spar_host *h);    /* [any] poll in long work      */
  /* [any] Versioned host interface such as "spar.reference-backend/1", or NULL. */
  const void *(*extension)(const spar_host *h, const char *id);
};

/* --------------------------------------------------------------- options -- */

enum {
  SPAR_T_BOOL = 1, SPAR_T_INT = 2, SPAR_T_FLOAT = 3, SPAR_T_STRING = 4,
  SPAR_T_ENUM = 5, /* one of `choices`; the value's i is its index */
  SPAR_T_PATH = 6  /* the host makes it absolute                   */
};
enum {
  SPAR_P_REQUIRED = 1u << 0, /* no default: the user must give it          */
  SPAR_P_RANGE = 1u << 1,    /* min and max hold, inclusive                */
  SPAR_P_ADVANCED = 1u << 2, /* listed only with --all                     */
  SPAR_P_DEPRECATED = 1u << 3
};

/* [grows] One self-described option.  The host prints, parses and checks it, so
 * the CLI, the run file and --help need no code in the plugin. */
typedef struct spar_param_r0 {
  uint64_t struct_size; /* also the stride of the array it stands in */
  const char *name;     /* kebab-case, unique in the component       */
  const char *doc;      /* one sentence                              */
  const char *unit;     /* "tokens", "s", ... or NULL                */
  const char *default_text; /* as the user would type it             */
  const char *const *choices; /* NULL-terminated, for ENUM           */
  double min, max;
  uint32_t type, flags;
} spar_param;

/* [frozen] A checked value.  The host passes one per spar_param, same order,
 * defaults filled in: plugins index by position and never parse. */
typedef struct spar_value {
  int64_t i;     /* BOOL 0/1, INT, ENUM index                   */
  double f;      /* FLOAT, and INT widened                      */
  const char *s; /* canonical text of any type; borrowed        */
  uint32_t type;
  uint32_t given; /* 1 = set by the user, 0 = the default       */
} spar_value;

/* --------------------------------------------------------------- tensors -- */

enum {
  SPAR_F32 = 1, SPAR_F64 = 2, SPAR_F16 = 3, SPAR_BF16 = 4,
  SPAR_I32 = 5, SPAR_I64 = 6, SPAR_I8 = 7, SPAR_U8 = 8,
  /* Blocks of 32 weights along the last axis (ggml's layouts).  shape counts weights,
   * stride[rank-1] is 1, outer strides count weights too (a multiple of 32).  Like
   * f16 and bf16 weights they come from a mapped file: read-only and at any address.
   * The host gives all five as `b` of gemm, as `table` of embed and as `weight` of
   * linear_logp; a backend that declines one gets it again expanded to f32. */
  SPAR_Q8_0 = 32, /* f16 scale, 32 x i8: 34 bytes                              */
  SPAR_Q4_0 = 33, /* f16 scale, 32 x 4 bits (value - 8): 18 bytes              */
  SPAR_Q4_1 = 34  /* f16 scale, f16 minimum, 32 x 4 bits: 20 bytes             */
};
#define SPAR_MAX_RANK 4

/* [frozen] Filled by the plugin.  host == NULL: the CPU cannot address it. */
typedef struct spar_buffer {
  void *handle; /* the plugin's own */
  void *host;
  uint64_t bytes;
} spar_buffer;

/* [frozen] A view.  Row-major, strides in elements, stride[rank-1] == 1 always;
 * outer strides are free (0 = broadcast, inputs only).  CPU plugins use `data`;
 * device plugins use `buffer` + `offset`. */
typedef struct spar_tensor {
  void *data;      /* element 0, or NULL when not host-addressable */
  void *buffer;    /* spar_buffer.handle, or NULL for plain host memory */
  uint64_t offset; /* bytes from the buffer's start to element 0 */
  int32_t dtype, rank;
  int64_t shape[SPAR_MAX_RANK];
  int64_t stride[SPAR_MAX_RANK];
} spar_tensor;

/* --------------------------------------------------------- plugin, component */

enum {
  SPAR_KIND_OBJECTIVE = 1, SPAR_KIND_RANKER = 2,
  SPAR_KIND_BACKEND = 3, SPAR_KIND_COLLECTIVE = 4
};

/* [grows] */
typedef struct spar_create_info_r0 {
  uint64_t struct_size;
  const spar_value *values; /* parallel to the component's params */
  uint64_t n_values;
  int32_t device;  /* index as in device(); 0 for other kinds */
  int32_t threads; /* budget for threads of the plugin's own */
  const char *cache_dir; /* private, exists, writable; NULL when offline-only */
} spar_create_info;

/* [grows] One thing the plugin offers. */
typedef struct spar_component_r0 {
  uint64_t struct_size; /* also the stride of the array it stands in */
  uint32_t kind;
  uint32_t flags;       /* reserved, 0 */
  const char *id;       /* "sppo", "openblas": [a-z0-9-]+, unique per kind */
  const char *name;     /* for people */
  const char *doc;      /* line 1: one sentence.  Lines after it may begin with "formula: " and
                         * "paper: ", each shown under its name */
  const spar_param *params;
  uint64_t n_params;
  /* [main] Optional.  Can it work here?  score 0 = no (set_error says why),
   * 100 = portable baseline; the highest wins when the user names none.
   * Must return in milliseconds and start no threads. */
  spar_status (*probe)(const spar_host *h, int32_t *score);
  spar_status (*create)(const spar_host *h, const spar_create_info *info, void **self); /* [main] */
  void (*destroy)(void *self); /* [main] no call on `self` is running */
  const void *api;             /* spar_objective_api, ... by kind; static */
  /* [any] Optional.  Versioned extension such as "spar.state/1", or NULL. */
  const void *(*extension)(void *self, const char *id);
} spar_component;

/* [grows] What the entry returns: static data, no side effects, no host needed. */
typedef struct spar_plugin_r0 {
  uint64_t struct_size;
  uint32_t generation, revision; /* SPAR_ABI_* as the plugin was compiled */
  const char *id;      /* reverse DNS: "org.example.onednn" */
  const char *name, *version, *vendor, *license, *url;
  const spar_component *components;
  uint64_t n_components;
  spar_status (*init)(const spar_host *h); /* [main] once, optional */
  void (*shutdown)(void);                  /* [main] at orderly exit, optional */
} spar_plugin;

/* The entry.  Must be cheap: `spar plugin list` calls it for every library. */
typedef const spar_plugin *(*spar_plugin_entry_fn)(void);
SPAR_EXPORT const spar_plugin *spar_plugin_entry_v1(void);
/* In Swift: @c @implementation public func spar_plugin_entry_v1() -> ... */

typedef struct spar_backend_api_r1 spar_backend_api;

/* ------------------------------------------------------------- objective -- */

enum { /* inputs an objective needs; the host leaves the others NULL */
  SPAR_OBJ_REFERENCE = 1u << 0, SPAR_OBJ_WIN_PROB = 1u << 1,
  SPAR_OBJ_PAIRWISE = 1u << 2, SPAR_OBJ_TOKENS = 1u << 3,
  SPAR_OBJ_SCORE = 1u << 4,  /* mean_score and score */
  SPAR_OBJ_SUM_P2 = 1u << 5, /* tok_sum_p2 */
  SPAR_OBJ_COUPLED = 1u << 6, /* couples rows of different groups: the host runs all
                               * forward passes of the step before it asks */
  SPAR_OBJ_ANSWERS = 1u << 7  /* no input but an ability: learns from single answers, too.  A
                               * group whose labels are all 0 is then to be trained answer by
                               * answer; other objectives never get such a group */
};

/* [frozen] One named per-response column of the data set ("margin", "weight"). */
typedef struct spar_column { const char *name; const double *values; } spar_column;

/* [grows] n responses in n_groups prompts; group g is rows [begin[g], begin[g+1]).
 * Sequence quantities are double, token quantities float. */
typedef struct spar_objective_batch_r0 {
  uint64_t struct_size;
  int64_t n, n_groups;
  const int64_t *begin;     /* [n_groups + 1] */
  const double *logp;       /* [n] log pi(y|x), summed over tokens, nats */
  const double *ref_logp;   /* [n] under the reference policy */
  const double *win_prob;   /* [n] mean over ALL K answers of the group of P(y beats y_j | x) */
  const double *mean_score; /* [n] mean over ALL K answers of the log-odds W(y, y_j) */
  const double *pairwise;   /* m*m blocks, m = rows of the group: P(i beats j), group after group */
  const double *score;      /* m*m blocks: the log-odds W(i, j) behind `pairwise` */
  const int64_t *n_tokens;  /* [n] */
  const int8_t *label;      /* [n] +1 chosen, -1 rejected, 0 neither */
  const float *tok_logp, *tok_ref_logp; /* [sum n_tokens], response after response */
  const float *tok_sum_p2;  /* the same rows: sum over the vocabulary of p^2, or NULL */
  const spar_column *columns;
  int64_t n_columns;
  /* Sizes of the whole optimizer step this batch is a part of: with them gradient
   * accumulation equals the large batch.  The host divides sum(loss) and dlogp by
   * step_pairs; an objective with another mean multiplies by step_pairs / its own. */
  int64_t step_pairs, step_answers, step_tokens;
  double progress;          /* 0..1 through training, for schedules */
  /* out; zeroed by the host.  Total loss = sum(loss); no averaging here. */
  double *loss;             /* [n] */
  double *dlogp;            /* [n] d total / d logp */
  float *dtok_logp;         /* like tok_logp, or NULL */
  double *metric_sum;       /* [n_metrics]; shown as metric_sum / metric_weight ... */
  double *metric_weight;    /* [n_metrics]  ... over the whole step */
} spar_objective_batch;

/* [frozen] Rows i (preferred) and j, with the weight the objective gives them. */
typedef struct spar_pair { int64_t i, j; double weight; } spar_pair;

/* [grows] */
typedef struct spar_objective_api_r0 {
  uint64_t struct_size;
  uint64_t needs;                  /* SPAR_OBJ_* */
  const char *const *metric_names; /* NULL-terminated, or NULL */
  /* [any] Pure function of batch and options: same input, same bits. */
  spar_status (*evaluate)(void *self, spar_objective_batch *b);
  /* [any] Optional.  Which pairs of one group to train on; else the host's rule. */
  spar_status (*select)(void *self, const double *pairwise, const double *win_prob, int64_t k,
                        spar_pair *out, int64_t capacity, int64_t *count);
} spar_objective_api;

/* ---------------------------------------------------------------- ranker -- */

/* [frozen] Not NUL-terminated. */
typedef struct spar_text { const char *p; uint64_t n; } spar_text;

/* [frozen] One turn of a conversation. */
typedef struct spar_message { spar_text role, content; } spar_message;

/* [frozen] One prompt and its K answers. */
typedef struct spar_rank_query {
  const spar_message *messages; /* the conversation before the answer, untemplated */
  int64_t n_messages;
  const spar_text *responses;   /* [k] decoded answers, without the end token */
  int64_t k;
  /* The same as token ids, and whose: NULL where there are none.  A ranker may use
   * them when its tokenizer has the same digest. */
  const char *tokenizer_digest;
  const int32_t *prompt_ids;
  int64_t n_prompt_ids;
  const int32_t *const *response_ids; /* [k] */
  const int64_t *n_response_ids;      /* [k] */
  double *pairwise; /* out [k*k]: P(i beats j); diagonal 0.5 */
  double *raw;      /* out [k*k]: the ranker's own score of (i left, j right), > 0 means
                     * that i is better; diagonal 0 */
  double *score;    /* out [k], may be NULL: a scalar view if the ranker has one */
} spar_rank_query;

/* [grows] */
typedef struct spar_rank_batch_r1 {
  uint64_t struct_size;
  spar_rank_query *queries;
  int64_t n;
  /* [n] The prompt's whole row of its file, a JSON object as UTF-8; p NULL = none.  May be NULL. */
  const spar_text *rows;
  /* [n] out, zeroed by the host; each may be NULL.
   * failed[q] [k*k]: 1 = (i, j) could not be compared: nothing is guessed, its raw is 0 and its
   *   pairwise 0.5.  The host counts it, takes the pair for failed in both orders, and trains on
   *   no such pair.
   * truncated[q] [k]: 1 = the ranker has not read all of the prompt with this answer. */
  uint8_t *const *failed;
  uint8_t *const *truncated;
} spar_rank_batch;

enum {
  SPAR_RANK_COMPLEMENT = 1u << 0, /* P(i,j) + P(j,i) == 1 (checked)     */
  SPAR_RANK_SCALAR = 1u << 1,     /* P is a function of score differences */
  SPAR_RANK_REENTRANT = 1u << 2,  /* rank() is [any], not [serial]      */
  SPAR_RANK_NATIVE_RAW = 1u << 3, /* `raw` is what the ranker computes: the host derives P
                                   * from it by its probability rule; without this flag
                                   * `pairwise` is native and raw is its log-odds */
  SPAR_RANK_COSTLY = 1u << 4      /* a prompt takes seconds or money: the host asks for one at
                                   * a time and keeps each as soon as it is there */
};

/* [grows] */
typedef struct spar_ranker_api_r0 {
  uint64_t struct_size;
  uint64_t flags;
  spar_status (*rank)(void *self, spar_rank_batch *b); /* [serial] */
  /* [main] Optional: let a model-backed ranker run on the chosen backend. */
  spar_status (*bind_backend)(void *self, const spar_backend_api *api, void *backend);
} spar_ranker_api;

/* ------------------------------------------- host extension: language models -- */
/*
 * "spar.language-model/1": lets a ranker score text under any causal model that the host
 * can load, without weights code of its own.
 */

/* [frozen] One conversation and the n answers to score after it. */
typedef struct spar_lm_item {
  const spar_message *messages; /* rendered with the model's own chat template */
  int64_t n_messages;
  const spar_text *completions; /* [n]; the model's end token is appended */
  int64_t n;
  double *sum;       /* out [n]: log p(completion | messages), nats */
  int64_t *n_tokens; /* out [n]: completion tokens, end token included */
} spar_lm_item;

#define SPAR_LANGUAGE_MODEL_EXT "spar.language-model/1"
/* [grows] */
typedef struct spar_lm_ext_r0 {
  uint64_t struct_size;
  /* [main] path: a Hugging Face folder, a GGUF file, an HDF5 checkpoint or a known name. */
  spar_status (*open)(const spar_host *h, const char *path, void **model);
  void (*close)(void *model); /* [main] */
  spar_status (*score)(void *model, const spar_lm_item *items, int64_t n); /* [serial] */
} spar_lm_ext;

/* --------------------------------------------- host extension: text models -- */
/*
 * "spar.text-model/1": lets a ranker run any transformer that the host can load, causal or
 * encoder, on the chosen backend.  The plugin builds token sequences and owns the heads; the
 * host owns weights, tokenizer, template and arithmetic.
 */
enum { SPAR_TM_CAUSAL = 1, SPAR_TM_ENCODER = 2 };
enum { /* encode: */ SPAR_TM_SPECIAL = 1u << 0, /* render: */ SPAR_TM_GENERATION_PROMPT = 1u << 1 };

/* [grows] Facts of an open model; texts live until it is closed. */
typedef struct spar_tm_info_r2 {
  uint64_t struct_size;
  const char *model_type, *path, *config_json; /* config_json: the model's own, as text */
  const char *tokenizer_digest;
  int64_t hidden_size, vocabulary_size, max_positions;
  int32_t bos, eos, pad, unk; /* -1 = none */
  uint32_t kind, reserved;    /* SPAR_TM_CAUSAL or _ENCODER */
  const char *bos_token, *eos_token; /* as templates spell them; NULL = none */
} spar_tm_info;

/* [frozen] Token ids and the rows of them whose final hidden states are wanted. */
typedef struct spar_tm_rows {
  const int32_t *ids;
  int64_t n_ids;
  const int64_t *rows; /* [n_rows], each in 0 ..< n_ids */
  int64_t n_rows;
  float *hidden; /* out [n_rows, hidden_size] */
} spar_tm_rows;

/* [frozen] n sequences that continue one prefix, which is computed once.  A prefix of no ids is
 * none; encoders take none. */
typedef struct spar_tm_group {
  spar_tm_rows prefix;
  const spar_tm_rows *sequences;
  int64_t n;
} spar_tm_group;

#define SPAR_TEXT_MODEL_EXT "spar.text-model/1"
/* [grows] Calls on one model are [serial]. */
typedef struct spar_tm_ext_r1 {
  uint64_t struct_size;
  /* [main] path as in "spar.language-model/1", or the folder of an encoder. */
  spar_status (*open)(const spar_host *h, const char *path, void **model);
  void (*close)(void *model); /* [main] */
  spar_status (*info)(void *model, spar_tm_info *out);
  /* Ids of a text; *n is their number, also where it exceeds capacity (then call again). */
  spar_status (*encode)(void *model, spar_text text, uint64_t flags, int32_t *ids,
                        int64_t capacity, int64_t *n);
  /* The id of a token as the vocabulary spells it, or -1. */
  spar_status (*token)(void *model, spar_text token, int32_t *id);
  /* A conversation through the model's chat template, as UTF-8; *n as in encode. */
  spar_status (*render)(void *model, const spar_message *messages, int64_t n_messages,
                        uint64_t flags, char *text, int64_t capacity, int64_t *n);
  /* A tensor of the model's files by name, as f32: heads that the host does not know.
   * rank = -1: there is none of that name.  With values NULL only shape and rank are given. */
  spar_status (*tensor)(void *model, const char *name, int64_t shape[SPAR_MAX_RANK],
                        int32_t *rank, float *values, int64_t capacity);
  /* Hidden states after the final norm; batching them all in one call is fastest. */
  spar_status (*hidden)(void *model, const spar_tm_group *groups, int64_t n);
  /* Logits [n_rows, n_ids] of some tokens from hidden states of a causal model. */
  spar_status (*logits)(void *model, const float *hidden, int64_t n_rows, const int32_t *ids,
                        int64_t n_ids, float *logits);
  /* Identity of the weights, as UTF-8; *n as in encode.  Weights that stay in their file are all
   * read when it is first asked for, which is why info() does not tell it. */
  spar_status (*digest)(void *model, char *text, int64_t capacity, int64_t *n);
} spar_tm_ext;

/* --------------------------------------------------------------- backend -- */
/*
 * An in-order queue of tensor operations.  A synchronous CPU backend just does
 * each one.  An asynchronous device may return early; buffer_read() and sync() wait.
 * Errors of deferred work surface at the next sync().
 *
 * EVERY operation pointer may be NULL, and any call may answer SPAR_UNSUPPORTED
 * (deciding on op, dtypes, ranks and flags only, never on values).  The host then
 * uses its reference: composites (attention, norms, ...) are built
 * from the operations the plugin does have; leaf loops run on the CPU; if operands
 * are not host-addressable they are staged through buffer_read()/buffer_write(),
 * with a warning.
 * So a library with nothing but gemm() is a complete backend.
 *
 * Outputs never alias inputs unless the op says "in place".  ACCUMULATE adds to
 * the output.  Math is at least f32 inside, whatever the storage type.
 */
enum {
  SPAR_BE_ASYNC = 1u << 0,      /* ops may return before they are done       */
  SPAR_BE_CONCURRENT = 1u << 1, /* ops are [any]: pool threads may call them */
  SPAR_BE_OWN_THREADS = 1u << 2, /* uses up to create_info.threads of its own */
  SPAR_BE_DETERMINISTIC = 1u << 3 /* same bits whatever the thread count      */
};
enum { /* usage hints for buffer_alloc */
  SPAR_BUF_WEIGHTS = 1, SPAR_BUF_ACTIVATIONS = 2, SPAR_BUF_OPTIMIZER = 3, SPAR_BUF_KV_CACHE = 4
};
enum { SPAR_ACCUMULATE = 1u << 0, SPAR_TRANS_A = 1u << 1, SPAR_TRANS_B = 1u << 2,
       SPAR_CAUSAL = 1u << 3, SPAR_INVERSE = 1u << 4, SPAR_INTERLEAVED = 1u << 5 };
enum { SPAR_NORM_RMS = 1, SPAR_NORM_LAYER = 2 };
enum {
  SPAR_RELU = 1, SPAR_GELU = 2, SPAR_GELU_TANH = 3, SPAR_SILU = 4, SPAR_TANH = 5, SPAR_SIGMOID = 6
};
enum { SPAR_ADD = 1, SPAR_MUL = 2 };
enum { SPAR_SUM_ROWS = 1, SPAR_SUM_ALL = 2, SPAR_SUMSQ_ALL = 3, SPAR_MAX_ALL = 4 };

/* [grows] Filled by the plugin. */
typedef struct spar_device_r0 {
  uint64_t struct_size;
  char name[64];
  uint64_t memory_total, memory_free;
  int32_t numa_node; /* -1 unknown */
  uint32_t host_visible;
} spar_device;

/* All *_args are [grows]; tensors are borrowed for the call; NULL = absent. */

/* C = alpha op(A) op(B) + beta C + bias, rank 2.  Ranks 3 and 4 add leading batch
 * axes (stride 0 in A or B broadcasts: grouped heads); a backend that answers
 * SPAR_UNSUPPORTED to those is called again per matrix.  Covers y = x W^T,
 * dx = dy W, dW += dy^T x and attention's products. */
typedef struct spar_gemm_args_r0 {
  uint64_t struct_size, flags; /* TRANS_A, TRANS_B */
  const spar_tensor *a, *b, *bias; /* bias [n] */
  spar_tensor *c;
  double alpha, beta; /* beta == 0: C is write-only */
} spar_gemm_args;

/* Packed spans: q, o [Tq, H, D]; k, v [Tk, Hkv, D]; lse [Tq, H] f32.
 * Span s is q rows q_begin[s]..+q_len[s].  It sees first the key rows
 * prefix_begin[s]..+prefix_len[s], all of them, then its own key rows
 * k_begin[s]..+k_len[s] (all arrays host; prefix arrays may be NULL: none).  With CAUSAL the
 * ENDS of q and own keys line up: q row i sees own keys 0 .. k_len - q_len + i.  So one
 * operation serves packed training with a prompt shared by its answers (the prefix's
 * gradients sum over them), prefill and batched decoding over a shared prompt.
 * window w > 0: keys count in the order prefix, own; a query sees the last w of those
 * that it would see, itself included.  Backward writes dq, dk, dv (zero where no span
 * reaches), or adds to them with ACCUMULATE. */
typedef struct spar_attention_args_r0 {
  uint64_t struct_size, flags; /* CAUSAL; backward: ACCUMULATE */
  const spar_tensor *q, *k, *v;
  spar_tensor *o, *lse; /* forward out, backward in */
  const spar_tensor *d_o;
  spar_tensor *dq, *dk, *dv;
  const int64_t *q_begin, *q_len, *k_begin, *k_len;
  const int64_t *prefix_begin, *prefix_len;
  int64_t n_seq, window; /* window 0 = unlimited */
  double scale, softcap; /* softcap 0 = off */
} spar_attention_args;

/* y = norm(x) * weight + bias over the last axis of x [T, C]; rstd [T] (and mean) are
 * kept.  Backward: dx, added to with ACCUMULATE; dweight, dbias always accumulate. */
typedef struct spar_norm_args_r0 {
  uint64_t struct_size, flags; /* backward: ACCUMULATE */
  const spar_tensor *x, *weight, *bias, *dy;
  spar_tensor *y, *mean, *rstd;
  spar_tensor *dx, *dweight, *dbias;
  double eps;
  uint32_t kind, reserved;
} spar_norm_args;

/* x [T, H, D] in place by positions[T] (host) and tables [P, D/2] f32.
 * INVERSE is the backward pass. */
typedef struct spar_rope_args_r0 {
  uint64_t struct_size, flags; /* INVERSE, INTERLEAVED (pairs 2i,2i+1) */
  spar_tensor *x;
  const spar_tensor *cos, *sin;
  const int32_t *positions;
} spar_rope_args;

/* Rows of x [R, C]; y = softmax(scale x + mask).  Backward: dx from y, dy. */
typedef struct spar_softmax_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *x, *mask, *dy;
  spar_tensor *y, *dx; /* y may be x, dx may be dy: in place */
  double scale;
} spar_softmax_args;

/* y = f(x), or y = f(x) * gate when gate is given (SwiGLU, GeGLU).  Backward reads x,
 * gate, dy and writes dx (and dgate); dx may be dy's or x's memory, dgate gate's. */
typedef struct spar_activation_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *x, *gate, *dy;
  spar_tensor *y, *dx, *dgate;
  uint32_t kind, reserved;
} spar_activation_args;

/* y[t] = table[ids[t]]; backward dtable[ids[t]] += dy[t], in the order of t.  ids are
 * host int32 [T], T = rows of y (of dy). */
typedef struct spar_embed_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *table, *dy;
  spar_tensor *y, *dtable;
  const int32_t *ids;
} spar_embed_args;

/* Token log-probabilities from logits [T, V]: logp[t] = z[target] - lse, with
 * z = logits * inv_temperature.  target < 0: row skipped, logp 0.  Backward:
 * dlogits = coef[t] (onehot - softmax) * inv_temperature; may be in place. */
typedef struct spar_logp_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *logits;
  const int32_t *targets; /* host [T] */
  spar_tensor *logp, *lse, *entropy; /* [T] f32; entropy may be NULL */
  const spar_tensor *coef;           /* [T] f32 = d loss / d logp[t] */
  spar_tensor *dlogits;
  double inv_temperature;
} spar_logp_args;

/* y = alpha x (ADD|MUL) beta z; z may broadcast over outer axes. */
typedef struct spar_binary_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *x, *z;
  spar_tensor *y; /* may be x: in place */
  double alpha, beta;
  uint32_t kind, reserved;
} spar_binary_args;

typedef struct spar_reduce_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *x;
  spar_tensor *y; /* SUM_ROWS: [C], sum over rows; others: one f32 (summed in f64 inside) */
  uint32_t kind, reserved;
} spar_reduce_args;

/* y = x, converting dtype and layout.  With rows of x [T, ...] chosen by x_rows and rows
 * of y by y_rows (host, [n_rows] each, NULL = 0, 1, 2, ...): y[y_rows[t]] = x[x_rows[t]];
 * rows of y not named stay as they are. */
typedef struct spar_copy_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *x;
  spar_tensor *y;
  const int32_t *x_rows, *y_rows;
  int64_t n_rows; /* 0 = plain copy */
} spar_copy_args;

/* Token log-probabilities of a linear head without storing its logits: h [T, C],
 * weight [V, C], z = softcap(h weight^T * inv_temperature):
 *   logp[t] = z[target] - lse,  entropy[t] = -sum p log p,  sum_p2[t] = sum p^2.
 * target < 0: row skipped, outputs 0, costs nothing.  entropy and sum_p2 may be NULL.
 * Backward recomputes the logits block by block from h, weight and lse:
 *   dh (added to with ACCUMULATE), dweight (always accumulates; may be NULL). */
typedef struct spar_linear_logp_args_r0 {
  uint64_t struct_size, flags;
  const spar_tensor *h, *weight;
  const int32_t *targets; /* host [T] */
  spar_tensor *logp, *lse, *entropy, *sum_p2; /* [T] f32; backward reads lse */
  const spar_tensor *coef;                    /* [T] f32 = d loss / d logp[t] */
  spar_tensor *dh, *dweight;
  double inv_temperature, softcap; /* softcap c > 0: c tanh(z / c); 0 = off */
} spar_linear_logp_args;

/* Attention with relative positions (DeBERTa's), every row of a span seeing the whole span:
 * q, k, v, o [T, H, D]; pk, pq [R, H, D]; lse [T, H] f32.
 *   score(i, j) = scale (q_i . k_j + q_i . pk_b + k_j . pq_b),  b = bucket[reach + d],
 *   d = i - j limited to -reach ..= reach
 * bucket (host, 2 reach + 1 entries, each in 0 ..< R) never decreases.  pk or pq may be NULL:
 * without that term.  Span s is rows begin[s]..+len[s] (host arrays); spans do not overlap.
 * Backward writes dq, dk, dv (zero where no span reaches), dpk and dpq, or adds to them with
 * ACCUMULATE. */
typedef struct spar_rel_attention_args_r0 {
  uint64_t struct_size, flags; /* backward: ACCUMULATE */
  const spar_tensor *q, *k, *v, *pk, *pq;
  spar_tensor *o, *lse; /* forward out, backward in */
  const spar_tensor *d_o;
  spar_tensor *dq, *dk, *dv, *dpk, *dpq;
  const int64_t *begin, *len;
  const int32_t *bucket;
  int64_t n_seq, reach;
  double scale;
} spar_rel_attention_args;

enum { SPAR_OPT_ADAMW = 1, SPAR_OPT_RMSPROP = 2, SPAR_OPT_SGD = 3, SPAR_OPT_LION = 4 };

/* One fused optimizer step, g' = g * grad_scale:
 *  ADAMW    p -= lr wd p; m = b1 m + (1-b1) g'; v = b2 v + (1-b2) g'^2;
 *           p -= lr (m / (1-b1^step)) / (sqrt(v / (1-b2^step)) + eps)
 *  RMSPROP  g' += wd p; v = b2 v + (1-b2) g'^2; u = g' / (sqrt(v) + eps);
 *           momentum: m = momentum m + u, u = m; p -= lr u
 *  SGD      g' += wd p; momentum: m = momentum m + g', g' = m; p -= lr g'
 *  LION     p -= lr wd p; p -= lr sign(b1 m + (1-b1) g'); m = b2 m + (1-b2) g'
 * m and v are f32, NULL where the kind has none; p may be bf16 with an f32 master. */
typedef struct spar_optimizer_args_r0 {
  uint64_t struct_size, flags;
  spar_tensor *p, *m, *v, *master;
  const spar_tensor *g;
  double lr, beta1, beta2, eps, weight_decay, momentum, grad_scale;
  int64_t step; /* from 1 */
  uint32_t kind, reserved;
} spar_optimizer_args;

/* [grows] New operations are appended.  [serial] unless SPAR_BE_CONCURRENT. */
struct spar_backend_api_r1 {
  uint64_t struct_size;
  uint64_t flags; /* SPAR_BE_* */
  /* [main] Optional.  Describes device `index` with spar_give(); SPAR_UNSUPPORTED
   * past the last one.  Without it there is one device, 0, the CPU. */
  spar_status (*device)(const spar_host *h, int64_t index, spar_device *out);

  /* Memory.  Optional as a group: without it tensors live in host->alloc memory
   * (64-byte aligned).  A NUMA plugin gives alloc and free only; a GPU gives all
   * but import, which wraps foreign host memory such as a mapped file.
   * alloc may answer SPAR_UNSUPPORTED: this buffer lives in the host's memory (a NUMA
   * plugin has no use for one smaller than a few pages).  free is [any].
   * buffer_write() whose src is the buffer's own memory (b->host + offset) copies nothing:
   * it tells that the host has written there.  If a plugin has buffer_write(), the host
   * tells it so before an operation reads a SPAR_BUF_WEIGHTS buffer: the plugin may keep
   * copies of weights. */
  spar_status (*buffer_alloc)(void *self, uint64_t bytes, uint32_t usage, spar_buffer *out);
  spar_status (*buffer_import)(void *self, void *host_ptr, uint64_t bytes, spar_buffer *out);
  void (*buffer_free)(void *self, spar_buffer *b);
  spar_status (*buffer_write)(void *self, spar_buffer *b, uint64_t offset, const void *src,
                              uint64_t n);
  spar_status (*buffer_read)(void *self, const spar_buffer *b, uint64_t offset, void *dst,
                             uint64_t n);
  spar_status (*buffer_copy)(void *self, spar_buffer *dst, uint64_t dst_offset,
                             const spar_buffer *src, uint64_t src_offset, uint64_t n);
  spar_status (*sync)(void *self);

  spar_status (*gemm)(void *self, const spar_gemm_args *a);
  spar_status (*attention)(void *self, const spar_attention_args *a);
  spar_status (*attention_bwd)(void *self, const spar_attention_args *a);
  spar_status (*norm)(void *self, const spar_norm_args *a);
  spar_status (*norm_bwd)(void *self, const spar_norm_args *a);
  spar_status (*rope)(void *self, const spar_rope_args *a);
  spar_status (*softmax)(void *self, const spar_softmax_args *a);
  spar_status (*softmax_bwd)(void *self, const spar_softmax_args *a);
  spar_status (*activation)(void *self, const spar_activation_args *a);
  spar_status (*activation_bwd)(void *self, const spar_activation_args *a);
  spar_status (*embed)(void *self, const spar_embed_args *a);
  spar_status (*embed_bwd)(void *self, const spar_embed_args *a);
  spar_status (*logp)(void *self, const spar_logp_args *a);
  spar_status (*logp_bwd)(void *self, const spar_logp_args *a);
  spar_status (*binary)(void *self, const spar_binary_args *a);
  spar_status (*reduce)(void *self, const spar_reduce_args *a);
  spar_status (*copy)(void *self, const spar_copy_args *a);
  spar_status (*fill)(void *self, spar_tensor *y, double value);
  spar_status (*linear_logp)(void *self, const spar_linear_logp_args *a);
  spar_status (*linear_logp_bwd)(void *self, const spar_linear_logp_args *a);
  spar_status (*optimizer)(void *self, const spar_optimizer_args *a);
  /* Since revision 1. */
  spar_status (*rel_attention)(void *self, const spar_rel_attention_args *a);
  spar_status (*rel_attention_bwd)(void *self, const spar_rel_attention_args *a);
};

/* Optional extension "spar.batch/1" of a backend: the same args structs, many at a
 * time, so that a device can fuse or capture a graph.  They, and the tensors they
 * name, stay valid until the next sync(). */
enum {
  SPAR_OP_GEMM = 1, SPAR_OP_ATTENTION = 2, SPAR_OP_ATTENTION_BWD = 3, SPAR_OP_NORM = 4,
  SPAR_OP_NORM_BWD = 5, SPAR_OP_ROPE = 6, SPAR_OP_SOFTMAX = 7, SPAR_OP_SOFTMAX_BWD = 8,
  SPAR_OP_ACTIVATION = 9, SPAR_OP_ACTIVATION_BWD = 10, SPAR_OP_EMBED = 11,
  SPAR_OP_EMBED_BWD = 12, SPAR_OP_LOGP = 13, SPAR_OP_LOGP_BWD = 14, SPAR_OP_BINARY = 15,
  SPAR_OP_REDUCE = 16, SPAR_OP_COPY = 17, SPAR_OP_LINEAR_LOGP = 18, SPAR_OP_LINEAR_LOGP_BWD = 19,
  SPAR_OP_OPTIMIZER = 20, SPAR_OP_REL_ATTENTION = 21, SPAR_OP_REL_ATTENTION_BWD = 22
};
typedef struct spar_op { uint64_t op; const void *args; } spar_op; /* [frozen] */
typedef struct spar_batch_ext_r0 {
  uint64_t struct_size;
  spar_status (*submit)(void *self, const spar_op *ops, int64_t n);
} spar_batch_ext;

/* Optional extension "spar.placement/1" of a backend: where its threads and memory
 * are, in rows for people and for JSON; `spar doctor` and `spar bench` show them. */
#define SPAR_PLACEMENT_EXT "spar.placement/1"
enum { SPAR_PLACEMENT_MEASURE = 1u << 0 }; /* also time memory: at most a second or two */
/* key: [a-z0-9-]+, may repeat ("node", "node"); text: one line.  Borrowed for the call. */
typedef void (*spar_placement_row_fn)(void *arg, const char *key, const char *text);
/* [grows] */
typedef struct spar_placement_ext_r0 {
  uint64_t struct_size;
  /* [serial] */
  spar_status (*describe)(void *self, uint64_t flags, spar_placement_row_fn row, void *arg);
} spar_placement_ext;

/* ------------------------------------------------------------ collective -- */

enum { SPAR_RED_SUM = 1, SPAR_RED_MAX = 2, SPAR_RED_MIN = 3 };

/* [grows] All ranks call the same operations in the same order, [serial].
 * Counts are elements and may exceed 2^31.  Buffers are host memory. */
typedef struct spar_collective_api_r0 {
  uint64_t struct_size;
  uint64_t flags;
  int32_t (*rank)(void *self);
  int32_t (*size)(void *self);
  spar_status (*barrier)(void *self);
  spar_status (*broadcast)(void *self, void *buf, int64_t n, int32_t dtype, int32_t root);
  /* in place */
  spar_status (*all_reduce)(void *self, void *buf, int64_t n, int32_t dtype, int32_t red);
  spar_status (*all_gather)(void *self, const void *src, int64_t n, int32_t dtype, void *dst);
  spar_status (*reduce_scatter)(void *self, const void *src, int64_t n_per_rank, int32_t dtype,
                                int32_t red, void *dst); /* optional */
  /* Optional overlap: start returns a token, wait completes and frees it. */
  spar_status (*all_reduce_start)(void *self, void *buf, int64_t n, int32_t dtype, int32_t red,
                                  void **token);
  spar_status (*wait)(void *self, void *token);
  void (*abandon)(void *self, int32_t code); /* [any] tell peers this rank is failing */
} spar_collective_api;

/* --------------------------------------------------------------- helpers -- */

/* Copies a [grows] struct of any age into *dst (dst_size bytes), zero-filling
 * what the writer did not know.  Call before reading; never dereference a foreign
 * [grows] struct as a whole. */
static inline void spar_adopt(void *dst, size_t dst_size, const void *src) {
  uint64_t n;
  memcpy(&n, src, sizeof n);
  if (n > dst_size) n = dst_size;
  memset(dst, 0, dst_size);
  memcpy(dst, src, (size_t)n);
}
/* Fills a caller's [grows] struct without writing past what the caller knows. */
static inline void spar_give(void *dst, const void *src, size_t src_size) {
  uint64_t n;
  memcpy(&n, dst, sizeof n);
  if (n > src_size) n = src_size;
  if (n <= sizeof n) return;
  memcpy((char *)dst + sizeof n, (const char *)src + sizeof n, (size_t)n - sizeof n);
}
/* Element i of an array of [grows] structs.  Such arrays (params, components) only
 * ever go from plugin to host; the other way arrays hold [frozen] structs. */
static inline const void *spar_at(const void *base, uint64_t i) {
  uint64_t stride;
  if (!base) return base;
  memcpy(&stride, base, sizeof stride);
  return (const char *)base + i * stride;
}
static inline uint64_t spar_dtype_size(int32_t t) {
  return t == SPAR_F64 || t == SPAR_I64 ? 8u : t == SPAR_F32 || t == SPAR_I32 ? 4u
       : t == SPAR_F16 || t == SPAR_BF16 ? 2u : t == SPAR_I8 || t == SPAR_U8 ? 1u : 0u;
}
/* Elements that are stored together: 32 of a block type, else 1. */
static inline int64_t spar_dtype_block(int32_t t) {
  return t == SPAR_Q8_0 || t == SPAR_Q4_0 || t == SPAR_Q4_1 ? 32 : 1;
}
/* Bytes of n elements, n in whole blocks. */
static inline int64_t spar_dtype_bytes(int32_t t, int64_t n) {
  return n / spar_dtype_block(t) * (t == SPAR_Q8_0 ? 34 : t == SPAR_Q4_0 ? 18 : t == SPAR_Q4_1
                                    ? 20 : (int64_t)spar_dtype_size(t));
}

#ifdef __cplusplus
#define SPAR_ASSERT(c, m) static_assert(c, m)
#else
#define SPAR_ASSERT(c, m) _Static_assert(c, m)
#endif
/* No tail padding anywhere, so that a new last field always changes sizeof. */
SPAR_ASSERT(sizeof(void *) == 8, "Spar plugins are 64-bit");
SPAR_ASSERT(sizeof(spar_value) == 32 && sizeof(spar_tensor) == 96, "frozen layout");
SPAR_ASSERT(sizeof(spar_param) == 8 * 9, "no padding");
SPAR_ASSERT(sizeof(spar_gemm_args) == 8 * 8, "no padding");

#ifdef __cplusplus
}
#endif
#endif /* SPAR_PLUGIN_H */
