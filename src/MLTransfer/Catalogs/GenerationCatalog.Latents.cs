using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Torch.Training.LatentProjection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>The styles of an image generator: mixing, interpolation, truncation and steps along directions.</summary>
    /// <param name="model">An image generator or a projection of images, or a chain with one; it must not be disposed meanwhile.</param>
    /// <exception cref="ArgumentException">The model holds neither.</exception>
    [SuppressMessage("Performance", "CA1822", Justification = "Called as mlContext.Generation.GetStyleSpace, like the rest.")]
    public StyleSpace GetStyleSpace(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new StyleSpace(TransformerChain.Find<IStyleGan2>(model, "no image generator and no projection of images").Found.Model);
    }

    /// <summary>Learns along which direction of the latent space a property of the pictures changes.</summary>
    /// <param name="data">Rows with a latent vector and what its picture shows.</param>
    /// <param name="latentColumnName">The column of latent vectors: vectors of Single, as <c>ProjectImages</c> makes them.</param>
    /// <param name="labelColumnName">
    /// The column of labels: Single, a number that a ridge regression predicts, or Boolean, classes that a logistic regression tells apart.
    /// </param>
    /// <param name="regularization">How strongly large weights are held back, in mean variances of the latent vectors.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of another type, there are fewer than two rows, all labels are the same, or a value is not finite.
    /// </exception>
    public LatentDirection LearnDirection(
        IDataView data, string latentColumnName, string labelColumnName, double regularization = 0.01,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(latentColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        var latent = new ColumnRole("latent", latentColumnName, ColumnKind.SingleVector, "a vector of Single with a known size")
            .Find(data.Schema);
        var label = new ColumnRole("label", labelColumnName, ColumnKind.Single | ColumnKind.Boolean, "a Single or a Boolean")
            .Find(data.Schema);
        var width = latent.Type.GetValueCount();
        using var channel = _host.Start("Learning a direction");
        using var cursor = data.GetRowCursor([latent, label]);
        var latents = ColumnValues.Create(cursor, latent, [width], ImageScaling.ZeroToOne);
        var labels = ColumnValues.Create(cursor, label, [1], ImageScaling.ZeroToOne);
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            latents.Add();
            labels.Add();
        }

        using var scope = NewDisposeScope();
        var numbers = new float[labels.Count];
        for (var row = 0; row < numbers.Length; row++)
            labels.CopyTo(row, numbers.AsSpan(row, 1));
        var rows = LatentSource.ToTensor(latents, width);
        var direction = label.Type is BooleanDataViewType
            ? LatentDirection.OfClasses(rows, Array.ConvertAll(numbers, number => number != 0), regularization)
            : LatentDirection.OfNumbers(rows, numbers, regularization);
        var what = direction.IsLogistic ? "are told rightly" : "of the variance is explained";
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Learned a direction from {numbers.Length} latent vectors: {direction.Score:0.0%} {what}."));
        return direction;
    }
}
