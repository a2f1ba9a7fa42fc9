// Makes FilterGradient an operation of TensorFlow's, by its C API, when the binding that this is linked into is loaded.
//
//     BlockedConv2DBackpropFilter(input [n, h, w, i], gradient [n, y, x, o]) -> filter [r, q, i, o]
//     attributes: filter_shape [r, q, i, o], strides [y, x], padding [top, left]

#if defined(__x86_64__)

#include <cstdlib>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "filter_gradient.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace dcgan {
namespace {

constexpr char kName[] = "BlockedConv2DBackpropFilter";

struct DeleteStatus {
  void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
};
using Status = std::unique_ptr<TF_Status, DeleteStatus>;

struct DeleteTensor {
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
using Tensor = std::unique_ptr<TF_Tensor, DeleteTensor>;

/** A node of a graph: its attributes. */
struct Kernel {
  int64_t filter_shape[4];
  int64_t strides[2];
  int64_t padding[2];
};

void* Create(TF_OpKernelConstruction* context) {
  const Status status(TF_NewStatus());
  auto kernel = std::make_unique<Kernel>();
  const auto read = [&](const char* name, int64_t* values, int count) {
    if (TF_GetCode(status.get()) == TF_OK)
      TF_OpKernelConstruction_GetAttrInt64List(context, name, values, count, status.get());
  };
  read("filter_shape", kernel->filter_shape, 4);
  read("strides", kernel->strides, 2);
  read("padding", kernel->padding, 2);
  if (TF_GetCode(status.get()) == TF_OK) return kernel.release();
  TF_OpKernelConstruction_Failure(context, status.get());
  return nullptr;
}

/** As many as TensorFlow splits its own operations over. */
int Threads() {
  const char* threads = std::getenv("TF_NUM_INTRAOP_THREADS");
  const int given = threads == nullptr ? 0 : std::atoi(threads);
  return given > 0 ? given : static_cast<int>(std::thread::hardware_concurrency());
}

void Compute(void* given, TF_OpKernelContext* context) {
  const Kernel& kernel = *static_cast<Kernel*>(given);
  const Status status(TF_NewStatus());
  const auto fail = [&](TF_Code code, const char* message) {
    TF_SetStatus(status.get(), code, message);
    TF_OpKernelContext_Failure(context, status.get());
  };
  Tensor inputs[2];
  for (int index = 0; index < 2; index++) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context, index, &tensor, status.get());
    if (TF_GetCode(status.get()) != TF_OK) return TF_OpKernelContext_Failure(context, status.get());
    inputs[index].reset(tensor);
    if (TF_NumDims(tensor) != 4) return fail(TF_INVALID_ARGUMENT, "input and gradient must have four dimensions");
  }
  const TF_Tensor* input = inputs[0].get();
  const TF_Tensor* gradient = inputs[1].get();
  const int64_t* filter = kernel.filter_shape;
  const Convolution convolution = {
      TF_Dim(input, 0),    TF_Dim(input, 1),    TF_Dim(input, 2),  TF_Dim(input, 3),  TF_Dim(gradient, 1),
      TF_Dim(gradient, 2), TF_Dim(gradient, 3), filter[0],         filter[1],         kernel.strides[0],
      kernel.strides[1],   kernel.padding[0],   kernel.padding[1],
  };
  if (TF_Dim(gradient, 0) != convolution.batch || filter[2] != convolution.inputs ||
      filter[3] != convolution.outputs)
    return fail(TF_INVALID_ARGUMENT, "input, gradient and filter do not fit together");
  if (convolution.inputs % kInputBlock != 0)
    return fail(TF_UNIMPLEMENTED, "the inputs must be a multiple of 16 channels");

  const size_t bytes = sizeof(float) * filter[0] * filter[1] * filter[2] * filter[3];
  const Tensor output(TF_AllocateOutput(context, 0, TF_FLOAT, filter, 4, bytes, status.get()));
  if (TF_GetCode(status.get()) != TF_OK) return TF_OpKernelContext_Failure(context, status.get());
  try {
    FilterGradient(convolution, static_cast<const float*>(TF_TensorData(input)),
                   static_cast<const float*>(TF_TensorData(gradient)),
                   static_cast<float*>(TF_TensorData(output.get())), Threads());
  } catch (const std::exception& error) {
    fail(TF_RESOURCE_EXHAUSTED, error.what());
  }
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

void UnknownShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

/** What goes wrong shows when the operation is used: there is none then. */
bool Register() {
  const Status status(TF_NewStatus());
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(kName);
  TF_OpDefinitionBuilderAddInput(definition, "input: float");
  TF_OpDefinitionBuilderAddInput(definition, "gradient: float");
  TF_OpDefinitionBuilderAddOutput(definition, "filter: float");
  TF_OpDefinitionBuilderAddAttr(definition, "filter_shape: list(int)");
  TF_OpDefinitionBuilderAddAttr(definition, "strides: list(int)");
  TF_OpDefinitionBuilderAddAttr(definition, "padding: list(int)");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, UnknownShape);
  TF_RegisterOpDefinition(definition, status.get());
  if (TF_GetCode(status.get()) != TF_OK) return false;
  TF_RegisterKernelBuilder(kName, TF_NewKernelBuilder(kName, "CPU", Create, Compute, Delete), status.get());
  return TF_GetCode(status.get()) == TF_OK;
}

const bool registered = Register();

}  // namespace
}  // namespace dcgan

#endif  // __x86_64__
