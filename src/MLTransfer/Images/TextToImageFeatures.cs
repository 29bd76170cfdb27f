using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>Features of real pictures and of those that a network makes of their captions.</summary>
internal static class TextToImageFeatures
{
    private const int BatchSize = 32;

    /// <summary>[real, width] and [made, width], which the caller disposes.</summary>
    /// <param name="transformer">Makes pictures from the seeds 0, 1, 2 and so on, of the rows' captions one after the other, from the first
    /// again after the last.</param>
    /// <param name="data">Rows with real pictures and captions.</param>
    /// <param name="imageColumn">The column of real pictures.</param>
    /// <param name="extractor">Makes features of pictures from -1 to 1.</param>
    /// <param name="count">How many pictures are made.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    public static (Tensor Real, Tensor Made) Of(
        TextToImageTransformer transformer, IDataView data, string imageColumn, IImageFeatureExtractor extractor, int count,
        CancellationToken cancellationToken)
    {
        var side = transformer.Side;
        var reader = new TextToImageTrainingReader(
            data, imageColumn, transformer.TextColumns, transformer.Network, transformer.Tokenizer);
        var rows = reader.Read(cancellationToken).ToList();
        if (rows.Count < 2)
            throw new ArgumentException($"There are {rows.Count} real images; expected two at least.", nameof(data));
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var real = GeneratorEvaluator.Collect(
            Enumerable.Range(0, rows.Count).Chunk(BatchSize), numbers => Pictures(numbers.Select(number => rows[number].Pixels)), extractor,
            cancellationToken);
        return Ownership.Pass(real, () => (real, GeneratorEvaluator.Collect(
            Enumerable.Range(0, count).Chunk(BatchSize),
            numbers => Pictures(transformer.Write(
                [.. numbers.Select(number => new ImagePrompt { Text = rows[number % rows.Count].Text, Seed = number })])
                .Select(image => image.Pixels)),
            extractor, cancellationToken)));

        Tensor Pictures(IEnumerable<float[]> pixels)
        {
            var all = pixels.SelectMany(values => values).ToArray();
            return tensor(all, [all.Length / (3 * side * side), 3, side, side], device: transformer.Network.Device) * 2 - 1;
        }
    }
}
