using MLTransfer.Torch.Layers.Fused;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Layers.Frozen;

/// <summary>
/// The product with a frozen matrix, and the gradient of its rows, for which the matrix becomes numbers a second time: nothing of it is
/// kept in between.
/// </summary>
internal sealed class FrozenFunction : FusedFunction<FrozenFunction>
{
    /// <summary>See <see cref="FrozenProduct.Multiply(Tensor, FrozenMatrix, bool)"/>.</summary>
    /// <param name="input">Float32 or bfloat16.</param>
    /// <param name="matrix">Lives until the backward pass has been.</param>
    /// <param name="byRows">Whether each number is the product with a row of the matrix, not with a column.</param>
    public static Tensor Call(Tensor input, FrozenMatrix matrix, bool byRows) =>
        is_grad_enabled() && input.requires_grad ? apply(input, matrix, byRows) : FrozenProduct.Multiply(input, matrix, byRows);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (matrix, byRows) = ((FrozenMatrix)arguments[1], (bool)arguments[2]);
        context.save_data(nameof(matrix), matrix);
        context.save_data(nameof(byRows), byRows);
        return FrozenProduct.Multiply((Tensor)arguments[0], matrix, byRows);
    }

    /// <inheritdoc/>
    protected override List<Tensor?> Gradients(autograd.AutogradContext context, IReadOnlyList<Tensor> saved, Tensor gradient) =>
        [FrozenProduct.Multiply(gradient, (FrozenMatrix)context.get_data("matrix"), !(bool)context.get_data("byRows")), null, null];
}
