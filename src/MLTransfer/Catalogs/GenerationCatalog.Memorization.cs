using System.Globalization;
using System.Runtime.CompilerServices;
using MLTransfer.Images;
using MLTransfer.Text;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Counts how much of what a model writes it has copied from the rows that it was trained on.</summary>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="data">The training rows; they go through the transformers before the text generator first.</param>
    /// <param name="options">What the model continues, and what counts as copied; null for defaults.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <remarks>
    /// Texts are compared as tokens of the model, prompts left out: a copy is <see cref="TextMemorizationOptions.NgramLength"/> or more
    /// tokens in a row that a training row holds. The memory is eight bytes for each training token.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The model holds no text generator, an option is not usable, a column is missing or not text, or no row has a text.
    /// </exception>
    [OverloadResolutionPriority(1)] // new() { ... } is meant for the options, not for a column's name
    public TextMemorization EvaluateMemorization(
        ITransformer model, IDataView data, TextMemorizationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (before, generator) = TransformerChain.Find<ITextEvaluation>(model, "no text generator");
        using var channel = _host.Start("Looking for copied texts");
        var found = generator.EvaluateMemorization(Through(before, data), options ?? new(), cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"{found.CopiedShare:0.0%} of {found.NgramCount} runs of {found.NgramLength} tokens stand in the training rows; "
            + $"the longest copy has {found.LongestSpan} tokens."));
        return found;
    }

    /// <summary>Tells how near the pictures of a model come to those that it was trained on.</summary>
    /// <param name="model">
    /// An image generator, or a chain of transformers with one. Pictures are made without truncation, with the model's own noise.
    /// </param>
    /// <param name="data">
    /// The training rows, with labels where the generator takes them; they go through the transformers before the generator first.
    /// </param>
    /// <param name="imageColumnName">The column of images, of the size that the generator makes.</param>
    /// <param name="extractor">Decides what counts as a difference; null for the pixels.</param>
    /// <param name="count">How many pictures are made, from the seeds 0, 1, 2 and so on.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">
    /// The model holds no image generator, a column is missing or has another type or size, or there are too few images.
    /// </exception>
    public NearestImages EvaluateMemorization(
        ITransformer model, IDataView data, string imageColumnName, IImageFeatureExtractor? extractor = null, int count = 100,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(imageColumnName);
        OptionCheck.AtLeast(nameof(count), count, 1);
        var (before, generator) = TransformerChain.Find<IImageEvaluation>(model, "no image generator");
        using var channel = _host.Start("Looking for copied pictures");
        var found = generator.EvaluateMemorization(Through(before, data), imageColumnName, extractor, count, cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"{found.CloseShare:0.0%} of {count} pictures are nearer to a training picture than 95 % of these are to each other; the "
            + $"median distance is {found.MedianDistance:G4}, among training pictures {found.MedianTrainingDistance:G4}."));
        return found;
    }
}
