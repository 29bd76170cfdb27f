using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>
/// Makes matrices nearly orthogonal: an iteration of Newton and Schulz, x = (a + b x x' + c (x x')^2) x, moves all singular values towards
/// 1 by products alone (Jordan et al. 2024).
/// </summary>
/// <remarks>
/// In float32 a few iterations at a time are done on s = x x', whose polynomials commute: x becomes q x, and s becomes p s p, where all
/// products but that with x are of small, symmetric matrices. That is half of the work. The squared singular values in s lose digits with
/// each of its iterations, so that s is made anew after <see cref="IterationsOfSquare"/> of them. In bfloat16, which has none to lose, each
/// iteration reads x.
/// </remarks>
internal static class NewtonSchulz
{
    private const int IterationsOfSquare = 3;

    /// <summary>The least rows of a part of a symmetric product.</summary>
    private const long LeastPart = 64;

    /// <summary>Iterates on a batch of matrices.</summary>
    /// <param name="matrices">[matrices, rows, columns] with no more rows than columns, of the type that is computed in;
    /// overwritten.</param>
    /// <param name="options">How often, with which coefficients.</param>
    /// <returns>What the matrices became, in the current dispose scope.</returns>
    public static Tensor Orthogonalize(Tensor matrices, MuonOptions options)
    {
        using var scope = NewDisposeScope();
        var x = matrices.div_(matrices.square().sum([1, 2], keepdim: true).sqrt_().clamp_(min: options.Epsilon));
        for (var done = 0; done < options.Iterations;)
        {
            using var iteration = NewDisposeScope();
            using var last = x;
            var count = x.dtype == ScalarType.Float32 ? Math.Min(IterationsOfSquare, options.Iterations - done) : 1;
            x = (count > 1 ? bmm(Factor(x, options, count), x) : Iterate(x, options)).MoveToOuterDisposeScope();
            done += count;
        }

        return x.MoveToOuterDisposeScope();
    }

    /// <summary>x after an iteration.</summary>
    private static Tensor Iterate(Tensor x, MuonOptions options)
    {
        var (a, b, c) = (options.Coefficients[0], options.Coefficients[1], options.Coefficients[2]);
        var square = bmm(x, x.transpose(1, 2)); // [matrices, rows, rows]
        return AddProduct(x, a, AddProduct(square, b, square, square, c), x, 1);
    }

    /// <summary>What x is multiplied with by several iterations: [matrices, rows, rows].</summary>
    private static Tensor Factor(Tensor x, MuonOptions options, int count)
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = (options.Coefficients[0], options.Coefficients[1], options.Coefficients[2]);
        var square = SymmetricProduct(x, x);
        Tensor? factor = null;
        for (var i = 0; i < count; i++)
        {
            var own = SymmetricProduct(square, square).mul_(c).add_(square, alpha: b);
            own.diagonal(0, 1, 2).add_(a);
            factor = factor is null ? own : SymmetricProduct(own, factor);
            if (i < count - 1)
                square = SymmetricProduct(SymmetricProduct(own, square), own);
        }

        return factor!.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// first second', where that is symmetric: rows are multiplied in parts, each with those from it on, and the rest is what is mirrored.
    /// </summary>
    private static Tensor SymmetricProduct(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var rows = first.shape[1];
        var part = Math.Max(LeastPart, (rows + 7) / 8);
        var transposed = second.transpose(1, 2);
        if (rows <= 2 * part)
            return bmm(first, transposed).MoveToOuterDisposeScope();
        var product = empty([first.shape[0], rows, rows], first.dtype, first.device);
        for (long start = 0; start < rows; start += part)
        {
            using var partScope = NewDisposeScope();
            var count = Math.Min(part, rows - start);
            var end = start + count;
            var own = bmm(first.narrow(1, start, count), transposed.narrow(2, start, rows - start)); // [matrices, count, rows - start]
            product.narrow(1, start, count).narrow(2, start, rows - start).copy_(own);
            product.narrow(1, end, rows - end).narrow(2, start, count).copy_(own.narrow(2, count, rows - end).transpose(1, 2));
        }

        return product.MoveToOuterDisposeScope();
    }

    /// <summary>beta addend + alpha first second, rounded once.</summary>
    private static Tensor AddProduct(Tensor addend, double beta, Tensor first, Tensor second, double alpha) =>
        baddbmm(first, second, addend, (float)beta, (float)alpha); // TorchSharp 0.107 has the addend last, whatever its names say
}
