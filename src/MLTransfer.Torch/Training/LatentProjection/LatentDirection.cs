using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>
/// A direction of a latent space along which something of the pictures changes, learned from labelled latent vectors (arXiv 1907.10786).
/// </summary>
/// <param name="Vector">Of length 1.</param>
/// <param name="Slope">How much the label grows with a step of length 1: of two classes the logarithm of the odds.</param>
/// <param name="Bias">What the label is at the origin.</param>
/// <param name="IsLogistic">Whether it tells two classes apart; else it predicts a number.</param>
/// <param name="Score">
/// On the rows that it was learned from: of numbers the share of their variance that it explains, of two classes the share told rightly.
/// </param>
public sealed record LatentDirection(IReadOnlyList<float> Vector, double Slope, double Bias, bool IsLogistic, double Score)
{
    private const int MostIterations = 100;
    private const double Tolerance = 1e-10;

    /// <summary>The label of a latent vector: a number, or the probability of the class that is true.</summary>
    /// <param name="latent">As wide as <see cref="Vector"/>.</param>
    /// <exception cref="ArgumentException">It has another width.</exception>
    public double Predict(ReadOnlySpan<float> latent)
    {
        if (latent.Length != Vector.Count)
            throw new ArgumentException($"The latent vector has {latent.Length} values; the direction has {Vector.Count}.", nameof(latent));
        double product = 0;
        for (var i = 0; i < latent.Length; i++)
            product += (double)latent[i] * Vector[i];
        var value = Slope * product + Bias;
        return IsLogistic ? 1 / (1 + Math.Exp(-value)) : value;
    }

    /// <summary>Learns a direction by ridge regression of a number.</summary>
    /// <param name="latents">[N, width], N at least 2.</param>
    /// <param name="labels">N finite numbers that are not all the same.</param>
    /// <param name="regularization">How strongly large weights are held back, in mean variances of the latent vectors.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, a value is not finite, or all labels are the same.</exception>
    public static LatentDirection OfNumbers(Tensor latents, IReadOnlyList<float> labels, double regularization = 0.01)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (rows, basis, center) = Coordinates(latents, labels, regularization);
        var y = tensor(labels.ToArray()).to(ScalarType.Float64);
        var centered = y - y.mean();
        var ridge = regularization * rows.square().sum() / rows.shape[1];
        var weights = mv(rows.t(), centered) / (rows.square().sum([0]) + ridge); // columns of rows are orthogonal
        var residual = (centered - mv(rows, weights)).square().sum() / centered.square().sum();
        return Create(mv(basis, weights), center, y.mean().item<double>(), isLogistic: false, 1 - residual.item<double>());
    }

    /// <summary>Learns a direction by logistic regression of two classes.</summary>
    /// <param name="latents">[N, width], N at least 2.</param>
    /// <param name="labels">N classes, both of them.</param>
    /// <param name="regularization">How strongly large weights are held back, in mean variances of the latent vectors.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, a value is not finite, or all labels are the same.</exception>
    public static LatentDirection OfClasses(Tensor latents, IReadOnlyList<bool> labels, double regularization = 0.01)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var numbers = labels.Select(label => label ? 1f : 0f).ToList();
        var (rows, basis, center) = Coordinates(latents, numbers, regularization);
        var y = tensor(numbers.ToArray()).to(ScalarType.Float64);
        var inputs = cat([rows, ones([rows.shape[0], 1], ScalarType.Float64)], 1); // the last weight is the bias
        var ridge = full(inputs.shape[1], regularization, ScalarType.Float64)
            * rows.square().sum() / rows.shape[1];
        ridge[^1] = 0;
        var weights = Newton(inputs, y, ridge);
        var right = (mv(inputs, weights) > 0).to(ScalarType.Float64).eq(y).to(ScalarType.Float64).mean().item<double>();
        return Create(
            mv(basis, weights.narrow(0, 0, rows.shape[1])), center, weights[^1].item<double>(), isLogistic: true, right);
    }

    /// <summary>
    /// Centred rows in the coordinates of their principal axes, which are as many as rows or columns at most: [N, axes], the axes
    /// [width, axes], and the mean [width].
    /// </summary>
    private static (Tensor Rows, Tensor Basis, Tensor Center) Coordinates(
        Tensor latents, IReadOnlyList<float> labels, double regularization)
    {
        ArgumentNullException.ThrowIfNull(latents);
        OptionRange.Positive(nameof(regularization), regularization);
        if (latents.dim() != 2 || latents.shape[0] != labels.Count || labels.Count < 2)
        {
            throw new ArgumentException(
                $"There are {labels.Count} labels for latent vectors of shape [{string.Join(", ", latents.shape)}]; expected two or more, "
                + "and as many of both.");
        }

        if (labels.Any(label => !float.IsFinite(label)) || labels.Distinct().Count() < 2)
            throw new ArgumentException($"All labels are {labels[0]}, or one is not finite: nothing can be learned from them.");
        var values = latents.cpu().to(ScalarType.Float64);
        if (!values.isfinite().all().item<bool>())
            throw new ArgumentException("A latent vector has a value that is NaN or infinite.");
        var center = values.mean([0]);
        var (left, deviations, axes) = linalg.svd(values - center, fullMatrices: false);
        return (left * deviations, axes.t(), center);
    }

    /// <summary>Minimises the logistic loss with a ridge by Newton's method, halving steps that lead up.</summary>
    private static Tensor Newton(Tensor inputs, Tensor labels, Tensor ridge)
    {
        var weights = zeros(inputs.shape[1], ScalarType.Float64);
        var loss = Loss(weights);
        for (var iteration = 0; iteration < MostIterations; iteration++)
        {
            using var scope = NewDisposeScope();
            var probability = mv(inputs, weights).sigmoid();
            var gradient = mv(inputs.t(), probability - labels) + ridge * weights;
            var hessian = mm(inputs.t() * (probability * (1 - probability)), inputs) + diag(ridge + Tolerance);
            var step = linalg.solve(hessian, gradient.unsqueeze(1)).squeeze(1);
            var size = 1.0;
            while (size > Tolerance && Loss(weights - step * size) > loss)
                size /= 2;
            var next = weights - step * size;
            var improvement = loss - Loss(next);
            (weights, loss) = (next.MoveToOuterDisposeScope(), loss - improvement);
            if (improvement <= Tolerance * Math.Max(1, loss))
                break;
        }

        return weights;

        double Loss(Tensor at)
        {
            using var scope = NewDisposeScope();
            var logits = mv(inputs, at);
            return (nn.functional.softplus(logits) - labels * logits).sum().item<double>() + (ridge * at.square()).sum().item<double>() / 2;
        }
    }

    private static LatentDirection Create(Tensor weights, Tensor center, double atCenter, bool isLogistic, double score)
    {
        var slope = weights.norm().item<double>();
        if (!(slope > 0))
            throw new ArgumentException("The latent vectors do not differ, or not with the labels: there is no direction.");
        var unit = (weights / slope).to(ScalarType.Float32).contiguous();
        return new LatentDirection(
            NativeTensor.AsSpan<float>(unit).ToArray(), slope, atCenter - weights.dot(center).item<double>(), isLogistic, score);
    }
}
