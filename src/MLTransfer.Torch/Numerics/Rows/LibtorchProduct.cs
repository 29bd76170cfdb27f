using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>What <see cref="RowProduct"/> computes, by libtorch.</summary>
internal static class LibtorchProduct
{
    /// <summary>output = activation(input * weight + bias), or output += that.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="rows">Their number.</param>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="bias">[outputs] of the weight's type, or null.</param>
    /// <param name="isOutputByInput">Which of the two the weight is.</param>
    /// <param name="output">[rows, outputs].</param>
    /// <param name="activation">Applied to the product with its bias.</param>
    /// <param name="accumulate">Whether to add to the output.</param>
    public static void Compute(
        ReadOnlySpan<float> input, int rows, Tensor weight, Tensor? bias, bool isOutputByInput, Span<float> output,
        Activation activation = Activation.None, bool accumulate = false)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var given = empty([rows, input.Length / rows], ScalarType.Float32);
        input.CopyTo(NativeTensor.AsSpan<float>(given));
        given = given.to(weight.dtype);
        var product = isOutputByInput ? nn.functional.linear(given, weight, bias)
            : bias is null ? mm(given, weight) : addmm(bias, given, weight, 1, 1); // [rows, outputs]
        RowProduct.Finish(NativeTensor.AsSpan<float>(product.to(ScalarType.Float32)), output, activation, accumulate);
    }
}
