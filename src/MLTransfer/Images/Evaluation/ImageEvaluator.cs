using MLTransfer.Columns;
using MLTransfer.Onnx.Reading;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Images.Evaluation;

/// <summary>Compares two columns of pictures, and one of them with its captions.</summary>
internal sealed class ImageEvaluator(
    ImageEvaluationOptions options, IProgress<ImageEvaluationProgress>? progress, CancellationToken cancellationToken)
{
    private int _count;

    /// <summary>Measures everything that the options ask for.</summary>
    /// <exception cref="ArgumentException">There are too few pictures, or features are not finite or of several widths.</exception>
    public ImageMetrics Evaluate(IDataView realData, string realColumn, IDataView generatedData, string generatedColumn)
    {
        var (real, generated) = (PictureBatch.Role("real", realColumn), PictureBatch.Role("generated", generatedColumn));
        var caption = options.CaptionColumnName is { } name ? ColumnRole.Text("caption", name) : null;
        real.Find(realData.Schema);
        generated.Find(generatedData.Schema); // before the first picture is read
        caption?.Find(generatedData.Schema);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var realFeatures = Features(realData, real, "real");
        var scores = caption is null ? null : new List<TextImageScore>();
        var madeFeatures = Features(generatedData, generated, "generated", caption, scores);
        var overlap = FeatureManifolds.Compare(realFeatures, madeFeatures, options.Neighbors, cancellationToken);
        return new ImageMetrics((int)realFeatures.shape[0], (int)madeFeatures.shape[0])
        {
            FrechetDistance = FeatureDistances.FrechetDistance(realFeatures, madeFeatures),
            KernelDistance = FeatureDistances.KernelDistance(realFeatures, madeFeatures),
            KernelSubsets = options.KernelSubsetCount == 0 ? null : FeatureDistances.KernelDistanceOfSubsets(
                realFeatures, madeFeatures,
                (int)Math.Min(options.KernelSubsetSize, Math.Min(realFeatures.shape[0], madeFeatures.shape[0])),
                options.KernelSubsetCount, options.Seed),
            Precision = overlap.Precision,
            Recall = overlap.Recall,
            Density = overlap.Density,
            Coverage = overlap.Coverage,
            Captions = scores is null ? null : new CaptionScores(scores),
        };
    }

    /// <summary>Scores captions alone.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or there are no rows.</exception>
    public static CaptionScores Score(
        IDataView data, string imageColumn, string captionColumn, OnnxTextImageModel model, int batchSize,
        CancellationToken cancellationToken)
    {
        var scores = new List<TextImageScore>();
        foreach (var batch in PictureBatch.Read(
            data, PictureBatch.Role("image", imageColumn), ColumnRole.Text("caption", captionColumn), channels: 3, batchSize,
            cancellationToken))
        {
            using (batch.Pictures)
                scores.AddRange(model.Score(batch.Captions, batch.Pictures));
        }

        return scores.Count > 0 ? new CaptionScores(scores) : throw NoRows(imageColumn);
    }

    /// <summary>The features of all pictures of a column, [N, width], and the scores of their captions where there are any.</summary>
    private Tensor Features(
        IDataView data, ColumnRole images, string kind, ColumnRole? caption = null, List<TextImageScore>? scores = null)
    {
        var parts = new List<Tensor>();
        foreach (var batch in PictureBatch.Read(data, images, caption, options.Channels, options.BatchSize, cancellationToken))
        {
            using var scope = NewDisposeScope();
            using var pictures = batch.Pictures;
            parts.Add(Checked(scores is null ? options.Features.Extract(pictures) : WithScores(batch, scores), pictures, parts)
                .cpu().MoveToOuterDisposeScope());
            _count += (int)pictures.shape[0];
            progress?.Report(new(_count));
        }

        var rows = parts.Sum(part => part.shape[0]);
        if (rows <= options.Neighbors)
        {
            throw rows == 0 ? NoRows(images.Column) : new ArgumentException(
                $"There are {rows} {kind} pictures in column '{images.Column}'; {nameof(options.Neighbors)} = {options.Neighbors} needs "
                + $"{options.Neighbors + 1} at least.");
        }

        return cat(parts, 0);
    }

    /// <summary>The model embeds pictures once, for scores and as features.</summary>
    private Tensor WithScores(PictureBatch batch, List<TextImageScore> scores)
    {
        using var colors = options.Channels == 3 ? batch.Pictures.alias() : batch.Pictures.expand(-1, 3, -1, -1);
        var (texts, images) = options.TextImageModel!.Embed(batch.Captions, colors);
        scores.AddRange(texts.Zip(images, (text, image) => TextImageScore.Of(text, image)));
        return options.FeatureExtractor?.Extract(batch.Pictures)
            ?? tensor(images.SelectMany(row => row).ToArray(), [images.Length, images[0].Length]);
    }

    private static Tensor Checked(Tensor features, Tensor pictures, List<Tensor> before)
    {
        var fits = features.dim() == 2 && features.shape[0] == pictures.shape[0]
            && (before.Count == 0 || before[0].shape[1] == features.shape[1]);
        return fits ? features : throw new ArgumentException(
            $"The feature extractor gave shape {TensorShape.Describe(features.shape)} for pictures of shape "
            + $"{TensorShape.Describe(pictures.shape)}; expected [{pictures.shape[0]}, "
            + $"{(before.Count == 0 ? "width" : before[0].shape[1])}]. Resize pictures to one size, or let the extractor do it.");
    }

    private static ArgumentException NoRows(string column) => new($"There are no pictures: the data with column '{column}' has no rows.");
}
