using MLTransfer.Onnx.Reading;
using MLTransfer.Torch.Metrics;

namespace MLTransfer;

/// <summary>What <c>mlContext.Generation.EvaluateImages</c> measures, and how.</summary>
public sealed class ImageEvaluationOptions
{
    /// <summary>
    /// The network over whose features sets of pictures are compared, an Inception-v3 for the usual FID. Null for the image embeddings of
    /// <see cref="TextImageModel"/>. Stays the caller's.
    /// </summary>
    public IImageFeatureExtractor? FeatureExtractor;

    /// <summary>
    /// The image-text model that tells how well generated pictures fit their captions. Null for no such scores. Stays the caller's.
    /// </summary>
    public OnnxTextImageModel? TextImageModel;

    /// <summary>The column of captions, beside the generated pictures; null for no scores of captions.</summary>
    public string? CaptionColumnName;

    /// <summary>k of precision, recall, density and coverage; see <see cref="FeatureManifolds"/>.</summary>
    public int Neighbors = 5;

    /// <summary>
    /// Pairs of random subsets over which the kernel distance is measured beside that of all pictures: 100 of KID as it is mostly given. 0
    /// for none.
    /// </summary>
    public int KernelSubsetCount;

    /// <summary>Pictures of a subset, at most as many as there are; 1000 of KID as it is mostly given.</summary>
    public int KernelSubsetSize = 1_000;

    /// <summary>Decides on the subsets.</summary>
    public long Seed = 1;

    /// <summary>The channels of the pictures that the network takes: 3, or 1 for their luma.</summary>
    public int Channels = 3;

    /// <summary>Pictures at a time. Those of another size than the one before begin a batch of their own.</summary>
    public int BatchSize = 32;

    /// <summary>The network over whose features sets are compared.</summary>
    internal IImageFeatureExtractor Features => FeatureExtractor ?? TextImageModel!;

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal void Check()
    {
        if (FeatureExtractor is null && TextImageModel is null)
        {
            throw new ArgumentException(
                $"There is no network to compare pictures by: set {nameof(FeatureExtractor)}, for example to an OnnxFeatureExtractor, or "
                + $"{nameof(TextImageModel)}.", nameof(FeatureExtractor));
        }

        OptionCheck.ColumnName(nameof(CaptionColumnName), CaptionColumnName);
        if (CaptionColumnName is not null && TextImageModel is null)
        {
            throw new ArgumentException(
                $"{nameof(CaptionColumnName)} is '{CaptionColumnName}', but there is no model that reads captions: set "
                + $"{nameof(TextImageModel)}.", nameof(TextImageModel));
        }

        OptionCheck.AtLeast(nameof(Neighbors), Neighbors, 1);
        OptionCheck.AtLeast(nameof(KernelSubsetCount), KernelSubsetCount, 0);
        OptionCheck.AtLeast(nameof(KernelSubsetSize), KernelSubsetSize, 2);
        OptionCheck.AtLeast(nameof(BatchSize), BatchSize, 1);
        if (Channels is not (1 or 3) || (Channels == 1 && FeatureExtractor is null))
            throw new ArgumentOutOfRangeException(nameof(Channels), Channels, $"{nameof(Channels)} must be 3, or 1 where the network of "
                + $"{nameof(FeatureExtractor)} takes pictures of one channel.");
    }
}
