using MLTransfer.Columns;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Metrics;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>Counts what is in a set of images.</summary>
internal static class ImageCounts
{
    public static ImageDataReport Of(ImageSet images)
    {
        var duplicates = new DuplicateCounter();
        for (var i = 0; i < images.Count; i++)
        {
            using var scope = NewDisposeScope();
            duplicates.Add(NativeTensor.AsSpan<byte>(images.Pixels.select(0, i)));
        }

        return new ImageDataReport
        {
            Images = images.Count,
            Resolution = images.Resolution,
            Channels = images.Channels,
            DuplicateImages = duplicates.Count,
            ImagesByLabel = ByLabel(images),
        };
    }

    /// <summary>An image belongs to the label with the greatest value.</summary>
    private static int[] ByLabel(ImageSet images)
    {
        if (images.Labels is not { } labels)
            return [];
        using var scope = NewDisposeScope();
        var counts = new int[images.LabelWidth];
        foreach (var label in labels.argmax(1).data<long>())
            counts[label]++;
        return counts;
    }
}
