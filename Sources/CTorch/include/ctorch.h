// The C face of libtorch that Jay uses: pure C, one owned handle type, a status from every call.
//
// Rules: outputs are owned by the caller (release with `ct_free`); inputs are borrowed; a call that
// can fail returns 0 on success and 1 on failure, with the reason in `ct_last_error()` (one slot a thread).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor_impl *ct_tensor;

/// The numbers are Jay's own, not libtorch's.
typedef enum ct_dtype {
  CT_FLOAT32 = 0, CT_BFLOAT16 = 1, CT_FLOAT16 = 2, CT_FLOAT64 = 3,
  CT_INT64 = 4, CT_INT32 = 5, CT_UINT8 = 6, CT_BOOL = 7, CT_INT8 = 8, CT_INT16 = 9
} ct_dtype;
typedef enum ct_device_kind { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 2, CT_CUSTOM = 3 } ct_device_kind;
typedef struct ct_device { ct_device_kind kind; int32_t index; } ct_device;
typedef void (*ct_release)(void *context);

// MARK: System
const char *ct_last_error(void);
const char *ct_torch_version(void);
int64_t ct_live_handles(void);
bool ct_device_available(ct_device_kind kind);
void ct_set_threads(int32_t count);
int32_t ct_threads(void);
/// Gives large tensors memory of their own that is used again and again, and lets libtorch keep fewer plans of products.
/// To be called before the first tensor is made; false where the system gives no room: tensors then stay where libtorch
/// puts them.
bool ct_keep_freed_memory(void);
/// Gives what is free of it back to the system, once.
void ct_release_freed_memory(void);
int ct_synchronize(ct_device device);
/// Bytes of a device's own memory: what this process holds now, the most it held, and what more it could have.
typedef struct ct_memory { int64_t held, peak, free; } ct_memory;
/// `known` is false on the CPU and where libtorch does not keep count.
int ct_device_memory(ct_device device, ct_memory *out, bool *known);
bool ct_set_gradient_mode(bool enabled);
void *ct_begin_inference(void);
void ct_end_inference(void *guard);
void ct_set_deterministic(bool enabled);

// MARK: Several processes
typedef struct ct_processes_impl *ct_processes;
typedef struct ct_exchange_impl *ct_exchange;
/// Whether this build can train in several processes.
bool ct_processes_supported(void);
/// Whether tensors of CUDA go from GPU to GPU; otherwise those of every accelerator go through the CPU.
bool ct_processes_use_nccl(void);
/// Meets the others at `host`:`port`, where one of them (`serves`) listens. Sums go over the network interface of this name;
/// "" for this machine alone where `host` is 127.0.0.1, else for the interface of the machine's own name. Meeting may take
/// `meeting_seconds`, a later call `seconds`, or it fails.
int ct_processes_join(const char *host, uint16_t port, bool serves, const char *interface, int32_t rank, int32_t count,
                      double meeting_seconds, double seconds, ct_processes *out);
void ct_processes_leave(ct_processes group);
/// Begins to replace `x` by its sum over the processes; all must begin the same in the same order.
int ct_sum_begin(ct_processes group, ct_tensor x, ct_exchange *out);
/// Begins to replace `x` by what process `from` holds.
int ct_copy_begin(ct_processes group, ct_tensor x, int32_t from, ct_exchange *out);
/// Waits for the end, and frees the handle.
int ct_exchange_end(ct_exchange exchange);

// MARK: Recordings (CUDA graphs)
typedef struct ct_recording_impl *ct_recording;
/// Whether this build can record what the device is asked to do.
bool ct_recording_supported(ct_device device);
/// From now on, what this thread asks of the device is recorded and not done. `shares` (or NULL) is a recording whose memory
/// the new one uses too: they must not run at the same time.
int ct_recording_begin(ct_device device, ct_recording shares, ct_recording *out);
int ct_recording_end(ct_recording recording);
/// Asks for all of it again, on the same memory.
int ct_recording_replay(ct_recording recording);
void ct_recording_free(ct_recording recording);

// MARK: Handles and properties
void ct_free(ct_tensor x);
int32_t ct_rank(ct_tensor x);
int64_t ct_size(ct_tensor x, int32_t dim);
int64_t ct_count(ct_tensor x);
ct_dtype ct_dtype_of(ct_tensor x);
ct_device ct_device_of(ct_tensor x);
bool ct_requires_gradient(ct_tensor x);
bool ct_is_same(ct_tensor x, ct_tensor y);

// MARK: Creation and transfer
int ct_full(const int64_t *shape, int32_t rank, double value, ct_dtype dtype, ct_device device, ct_tensor *out);
int ct_arange(int64_t start, int64_t end, ct_dtype dtype, ct_device device, ct_tensor *out);
int ct_eye(int64_t n, ct_dtype dtype, ct_device device, ct_tensor *out);
/// Copies `bytes` of row-major values into a new tensor.
int ct_from_bytes(const void *bytes, const int64_t *shape, int32_t rank, ct_dtype dtype, ct_device device, ct_tensor *out);
/// Wraps memory that the caller keeps alive until `release(context)` is called. CPU only; read-only by contract.
int ct_from_mapped(void *bytes, const int64_t *shape, int32_t rank, ct_dtype dtype, ct_release release, void *context, ct_tensor *out);
/// Copies the values, row-major, into `bytes` (`length` must equal the tensor's size in bytes).
int ct_to_bytes(ct_tensor x, void *bytes, size_t length);
/// The values, row-major in the program's memory: x itself where they are that already.
int ct_host(ct_tensor x, ct_tensor *out);
/// Where the values of a tensor from `ct_host` lie, as long as it lives.
const void *ct_bytes(ct_tensor x);
int ct_to(ct_tensor x, ct_dtype dtype, ct_device device, ct_tensor *out);
int ct_item(ct_tensor x, double *out);

// MARK: Random values: a counter-based generator, equal on every thread count.
int ct_fill_uniform(ct_tensor x, double low, double high, uint64_t seed, uint64_t offset);
int ct_fill_normal(ct_tensor x, double mean, double deviation, uint64_t seed, uint64_t offset);
int ct_dropout(ct_tensor x, double probability, uint64_t seed, uint64_t offset, ct_tensor *out);
/// Seeds the devices, whose draws on this thread then go on from there, whatever their own seeds are, until `ct_draw_apart`.
int ct_draw_on(uint64_t seed, uint64_t offset);
void ct_draw_apart(void);

// MARK: Element-wise, one input
#define CT_UNARY(name) int ct_##name(ct_tensor x, ct_tensor *out)
CT_UNARY(neg); CT_UNARY(abs); CT_UNARY(exp); CT_UNARY(log); CT_UNARY(sqrt); CT_UNARY(rsqrt); CT_UNARY(square);
CT_UNARY(reciprocal); CT_UNARY(tanh); CT_UNARY(sigmoid); CT_UNARY(relu); CT_UNARY(silu); CT_UNARY(softplus);
CT_UNARY(sign); CT_UNARY(sin); CT_UNARY(cos); CT_UNARY(isfinite); CT_UNARY(logical_not); CT_UNARY(floor);
CT_UNARY(clone); CT_UNARY(detach); CT_UNARY(contiguous);
int ct_gelu(ct_tensor x, bool tanh_approximation, ct_tensor *out);
int ct_clamp(ct_tensor x, double low, double high, ct_tensor *out);
int ct_pow_scalar(ct_tensor x, double exponent, ct_tensor *out);
int ct_add_scalar(ct_tensor x, double y, ct_tensor *out);
int ct_mul_scalar(ct_tensor x, double y, ct_tensor *out);

// MARK: Element-wise, two inputs (broadcast)
#define CT_BINARY(name) int ct_##name(ct_tensor x, ct_tensor y, ct_tensor *out)
CT_BINARY(add); CT_BINARY(sub); CT_BINARY(mul); CT_BINARY(div); CT_BINARY(maximum); CT_BINARY(minimum);
CT_BINARY(eq); CT_BINARY(ne); CT_BINARY(lt); CT_BINARY(le); CT_BINARY(gt); CT_BINARY(ge);
CT_BINARY(logical_and); CT_BINARY(logical_or);
CT_BINARY(matmul);
int ct_where(ct_tensor condition, ct_tensor x, ct_tensor y, ct_tensor *out);
int ct_masked_fill(ct_tensor x, ct_tensor mask, double value, ct_tensor *out);

// MARK: In place (parameters and optimizer states, outside autograd)
int ct_add_(ct_tensor x, ct_tensor y, double alpha);
int ct_addcmul_(ct_tensor x, ct_tensor y, ct_tensor z, double alpha);
int ct_mul_(ct_tensor x, ct_tensor y);
int ct_mul_scalar_(ct_tensor x, double y);
int ct_copy_(ct_tensor x, ct_tensor y);
int ct_fill_(ct_tensor x, double value);
int ct_index_copy_(ct_tensor x, int32_t dim, ct_tensor index, ct_tensor y);
int ct_index_fill_(ct_tensor x, int32_t dim, ct_tensor index, double value);

// MARK: Reductions; `rank` 0 means all dimensions
int ct_sum(ct_tensor x, const int64_t *dims, int32_t rank, bool keep, ct_tensor *out);
int ct_mean(ct_tensor x, const int64_t *dims, int32_t rank, bool keep, ct_tensor *out);
/// Σ|x|^p^(1/p) accumulated in float32.
int ct_norm(ct_tensor x, double p, const int64_t *dims, int32_t rank, bool keep, ct_tensor *out);
int ct_amax(ct_tensor x, int32_t dim, bool keep, ct_tensor *out);
int ct_amin(ct_tensor x, int32_t dim, bool keep, ct_tensor *out);
int ct_argmax(ct_tensor x, int32_t dim, ct_tensor *out);
int ct_logsumexp(ct_tensor x, int32_t dim, bool keep, ct_tensor *out);
int ct_cumsum(ct_tensor x, int32_t dim, ct_tensor *out);
int ct_sort(ct_tensor x, int32_t dim, bool descending, ct_tensor *values, ct_tensor *indices);
int ct_topk(ct_tensor x, int64_t k, int32_t dim, ct_tensor *values, ct_tensor *indices);
int ct_all(ct_tensor x, ct_tensor *out);

// MARK: Shape
int ct_reshape(ct_tensor x, const int64_t *shape, int32_t rank, ct_tensor *out);
int ct_permute(ct_tensor x, const int64_t *dims, int32_t rank, ct_tensor *out);
int ct_expand(ct_tensor x, const int64_t *shape, int32_t rank, ct_tensor *out);
int ct_transpose(ct_tensor x, int32_t a, int32_t b, ct_tensor *out);
int ct_unsqueeze(ct_tensor x, int32_t dim, ct_tensor *out);
int ct_squeeze(ct_tensor x, int32_t dim, ct_tensor *out);
int ct_narrow(ct_tensor x, int32_t dim, int64_t start, int64_t length, ct_tensor *out);
int ct_select(ct_tensor x, int32_t dim, int64_t index, ct_tensor *out);
int ct_index_select(ct_tensor x, int32_t dim, ct_tensor index, ct_tensor *out);
int ct_gather(ct_tensor x, int32_t dim, ct_tensor index, ct_tensor *out);
int ct_cat(const ct_tensor *xs, int32_t count, int32_t dim, ct_tensor *out);
int ct_stack(const ct_tensor *xs, int32_t count, int32_t dim, ct_tensor *out);
int ct_one_hot(ct_tensor x, int64_t classes, ct_tensor *out);

// MARK: Linear algebra (float32 or float64)
int ct_svd(ct_tensor x, ct_tensor *u, ct_tensor *s, ct_tensor *vh);
int ct_qr(ct_tensor x, ct_tensor *q, ct_tensor *r);
int ct_solve(ct_tensor a, ct_tensor b, ct_tensor *out);

// MARK: Layers and losses
/// x·weightᵀ + bias; `bias` may be NULL.
int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out);
/// y + scale·(x·aᵀ)·bᵀ, and x·aᵀ of all rows behind one another, float32, without gradients.
int ct_low_rank(ct_tensor x, ct_tensor y, ct_tensor a, ct_tensor b, double scale, ct_tensor *sum, ct_tensor *low);
int ct_embedding(ct_tensor weight, ct_tensor index, ct_tensor *out);
/// Of x, or of x + dropout(added); `added` and `bias` may be null.
int ct_layer_norm(ct_tensor x, ct_tensor added, ct_tensor weight, ct_tensor bias, double epsilon, double dropout, uint64_t seed, uint64_t offset, ct_tensor *out);
int ct_rms_norm(ct_tensor x, ct_tensor weight, double epsilon, ct_tensor *out);
/// The halves of the last dimension of x `[rows, length, heads, width]` rotated against each other by `cos` and `sin`
/// `[rows or 1, length, 1, width]`, which are not differentiated.
int ct_rotate(ct_tensor x, ct_tensor cos, ct_tensor sin, ct_tensor *out);
int ct_softmax(ct_tensor x, int32_t dim, ct_tensor *out);
int ct_log_softmax(ct_tensor x, int32_t dim, ct_tensor *out);
/// `targets` int64; `reduction` 0 none, 1 mean over targets != ignore, 2 sum.
int ct_cross_entropy(ct_tensor logits, ct_tensor targets, int64_t ignore, int32_t reduction, ct_tensor *out);
/// softmax(q·kᵀ·scale + mask)·v with dropout on the probabilities; `mask` may be NULL.
/// q, k, v `[batch, heads, length, width]`. `causal`: a query sees the keys up to its own only; then there is no mask.
/// `fused`: libtorch's kernel without matrices of scores, where the device has one, whose dropout draws in its own way.
int ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor mask, bool causal, bool fused, double scale, double dropout,
                 uint64_t seed, uint64_t offset, ct_tensor *out);

/// Texts that stand behind one another.
typedef struct {
  /// Where each text's queries, and keys, begin; the last of the `count` + 1 numbers is where they end.
  const int64_t *queries, *keys;
  int32_t count;
  /// Whether a query sees the keys up to its own only, the last query all.
  bool is_causal;
  /// How many keys up to its own a query sees; 0 for all.
  int64_t window;
} ct_spans;
/// `ct_attention` of each text to its own keys, on the CPU in float32 or bfloat16. q `[queries, heads, width]`,
/// k and v `[keys, stored heads, width]`; `bias` `[heads, longest, longest keys]` is added to the scores and may be NULL.
int ct_attention_spans(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor bias, const ct_spans *spans, double scale,
                       double dropout, uint64_t seed, uint64_t offset, ct_tensor *out);

// MARK: Weights that train in some rows
/// `ct_linear` whose weight has a gradient in the rows `kept` (int64) only, as they are when the backward pass runs; in all
/// rows where `kept` is empty then.
int ct_linear_kept_rows(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor kept, ct_tensor *out);
/// Σ|x| of each column of a matrix, float32, without gradients.
int ct_column_magnitudes(ct_tensor x, ct_tensor *out);
/// x takes the shape and the values of y.
int ct_take(ct_tensor x, ct_tensor y);

// MARK: Decoding on the CPU, one new token a row, without gradients (float32 or bfloat16)
/// Attention of `q [rows, heads, width]` to the first `length` tokens of the caches
/// `keys`, `values` `[rows, stored heads, capacity, width]`.
/// `k`, `v` `[rows, stored heads, width]` are written there first, as the last of them; NULL where nothing is new.
/// `cos`, `sin` `[rows or 1, width]` rotate q and k; NULL for none. `mask` broadcasts to `[rows, heads, 1, length]`; may
/// be NULL.
int ct_attention_step(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor cos, ct_tensor sin, ct_tensor keys,
                      ct_tensor values, int64_t length, ct_tensor mask, double scale, ct_tensor *out);
/// Whether `ct_pack_weight` can take this weight.
bool ct_can_pack(ct_tensor weight);
/// A copy of a weight `[outputs, inputs]` in the order in which `ct_linear_few_rows` reads it.
int ct_pack_weight(ct_tensor weight, ct_tensor *out);
/// `ct_linear` with each of `count` packed weights of so many outputs; each of the `biases` may be NULL. `wide`: float32
/// results, whatever x is.
int ct_linear_few_rows(ct_tensor x, const ct_tensor *weights, const ct_tensor *biases, const int64_t *outputs,
                       int32_t count, bool wide, ct_tensor *out);

// MARK: Autograd
int ct_set_requires_gradient(ct_tensor x, bool enabled);
int ct_backward(ct_tensor loss);
/// The accumulated gradient, or NULL where there is none.
int ct_gradient(ct_tensor x, ct_tensor *out);
/// `gradient` NULL clears it.
int ct_set_gradient(ct_tensor x, ct_tensor gradient);
/// Calls `ready` whenever a backward pass has added to the gradient of a leaf; `release` frees the context, when another
/// call takes its place or the leaf ends. NULL for nothing.
int ct_on_gradient(ct_tensor leaf, void (*ready)(void *context), void *context, ct_release release);
/// Gradients of `loss` for `count` inputs, without touching accumulated ones; NULL where unused.
int ct_gradients_of(ct_tensor loss, const ct_tensor *inputs, int32_t count, bool retain, ct_tensor *out);

// MARK: Optimizers (fused, one pass over memory)
typedef struct ct_adamw_options {
  double rate, beta1, beta2, epsilon, weight_decay;
  int64_t step;        // 1 on the first update
  bool decoupled;      // AdamW when true, Adam with L2 otherwise
  double gradient_scale; // multiplies each gradient as it is read (clipping)
} ct_adamw_options;
/// One update of `count` parameters on the CPU. A value is the compute copy of its master (the same tensor when both are
/// float32). `touched` are uint8, a number for every 256 elements, 0 where both moments are known to be zero, or NULL.
int ct_adamw(const ct_tensor *values, const ct_tensor *masters, const ct_tensor *gradients, const ct_tensor *firsts,
             const ct_tensor *seconds, const ct_tensor *touched, int32_t count, const ct_adamw_options *options);
/// The same of some rows of one parameter: `rows` (int64 `[k]`, rising) are those of dimension 0 that are touched.
int ct_adamw_rows(ct_tensor value, ct_tensor master, ct_tensor gradient, ct_tensor first, ct_tensor second, ct_tensor rows,
                  const ct_adamw_options *options);
/// One update by libtorch's fused one for lists, for accelerators. Of the options, `rate` and `step` are not read: these stand
/// on the device, `rate` a float32 scalar, `counts` one for each parameter, the updates that it has seen, one more afterwards.
int ct_adamw_fused(const ct_tensor *values, const ct_tensor *masters, const ct_tensor *gradients, const ct_tensor *firsts,
                   const ct_tensor *seconds, const ct_tensor *counts, int32_t count, ct_tensor rate,
                   const ct_adamw_options *options);
/// The same of some rows of one parameter, which its count counts.
int ct_adamw_fused_rows(ct_tensor value, ct_tensor master, ct_tensor gradient, ct_tensor first, ct_tensor second,
                        ct_tensor count, ct_tensor rows, ct_tensor rate, const ct_adamw_options *options);
typedef struct ct_adafactor_options {
  double rate, decay, weight_decay;
  bool scales_by_parameter;
  double gradient_scale;
} ct_adafactor_options;
/// `rows` and `columns` are the averages of a matrix, float32. `done` is false, and nothing has changed, where there is no
/// kernel: for other shapes, dtypes and devices.
int ct_adafactor(ct_tensor value, ct_tensor master, ct_tensor gradient, ct_tensor rows, ct_tensor columns,
                 const ct_adafactor_options *options, bool *done);
/// L2 norm over a list of gradients: sums of squares in float32 over parts of fixed size, and in float64 over these.
int ct_global_norm(const ct_tensor *gradients, int32_t count, double *out);
/// The same as a float32 scalar that stays on the device of the gradients, of which there is at least one.
int ct_device_norm(const ct_tensor *gradients, int32_t count, ct_tensor *out);
/// x ← x·factor for each of some tensors; `factor` is a scalar on their device.
int ct_mul_together_(const ct_tensor *xs, int32_t count, ct_tensor factor);

#ifdef __cplusplus
}
#endif
