using MLTransfer.Columns;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>Reads a column of images for training or evaluation.</summary>
internal static class TrainingImageReader
{
    private static readonly ImageScaling s_bytes = new() { Scale = 1 };

    /// <summary>Reads all rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or has another type or size, or there are no rows.</exception>
    /// <exception cref="InvalidOperationException">
    /// A row's image or label is missing or of another size; the message names row and column.
    /// </exception>
    public static ImageSet Read(
        IDataView data, string imageColumn, ImageGeneratorColumns columns, StyleGan2Generator generator,
        CancellationToken cancellationToken)
    {
        var image = ImageGeneratorColumns.FindImages(data.Schema, imageColumn, generator);
        var label = columns.FindLabel(data.Schema, generator);
        long[] shape = [generator.ImageChannels, generator.ImageResolution, generator.ImageResolution];
        using var cursor = data.GetRowCursor(label is null ? [image] : [image, label.Value]);
        var images = ColumnValues.Create(cursor, image, shape, s_bytes);
        var labels = label is null ? null : ColumnValues.Create(cursor, label.Value, [generator.LabelWidth], ImageScaling.ZeroToOne);
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            images.Add();
            labels?.Add();
        }

        if (images.Count == 0)
            throw new ArgumentException($"There are no images: the data with column '{imageColumn}' has no rows.", nameof(data));
        using var scope = NewDisposeScope();
        return new ImageSet(ToBytes(images, shape), labels is null ? null : LatentSource.ToTensor(labels, generator.LabelWidth));
    }

    private static Tensor ToBytes(ColumnValues images, long[] shape)
    {
        var row = new float[shape[0] * shape[1] * shape[2]];
        var pixels = new byte[(long)images.Count * row.Length];
        for (var i = 0; i < images.Count; i++)
        {
            images.CopyTo(i, row);
            for (var j = 0; j < row.Length; j++)
                pixels[(long)i * row.Length + j] = (byte)row[j];
        }

        return tensor(pixels, [images.Count, .. shape]);
    }
}
