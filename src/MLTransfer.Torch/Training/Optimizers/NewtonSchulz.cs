using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// Makes matrices nearly orthogonal: an iteration of Newton and Schulz moves all singular values towards 1 by products alone (Jordan et al.
/// 2024).
/// </summary>
internal static class NewtonSchulz
{
    /// <summary>Iterates on a batch of matrices.</summary>
    /// <param name="matrices">[matrices, rows, columns] with no more rows than columns, of the type that is computed in; overwritten.</param>
    /// <param name="options">How often, with which coefficients.</param>
    /// <returns>What the matrices became, in the current dispose scope.</returns>
    public static Tensor Orthogonalize(Tensor matrices, MuonOptions options)
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = (options.Coefficients[0], options.Coefficients[1], options.Coefficients[2]);
        var x = matrices.div_(matrices.square().sum([1, 2], keepdim: true).sqrt_().clamp_(min: options.Epsilon));
        for (var i = 0; i < options.Iterations; i++)
        {
            using var iteration = NewDisposeScope();
            var square = bmm(x, x.transpose(1, 2)); // [matrices, rows, rows]
            var factor = AddProduct(square, b, square, square, c);
            using var last = x;
            x = AddProduct(x, a, factor, x, 1).MoveToOuterDisposeScope();
        }

        return x.MoveToOuterDisposeScope();
    }

    /// <summary>beta addend + alpha first second, rounded once.</summary>
    private static Tensor AddProduct(Tensor addend, double beta, Tensor first, Tensor second, double alpha) =>
        baddbmm(first, second, addend, (float)beta, (float)alpha); // TorchSharp 0.107 has the addend last, whatever its names say
}
