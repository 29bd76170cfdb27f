using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLTransfer.Images.Evaluation;

/// <summary>Reads a column of pictures, and of captions where there is one, in batches of one size.</summary>
/// <param name="Pictures">[N, channels, height, width], -1 for black and 1 for white.</param>
/// <param name="Captions">One for each; empty where there is no column of them.</param>
internal sealed record PictureBatch(Tensor Pictures, IReadOnlyList<string> Captions)
{
    /// <summary>Reads all rows; a batch is the caller's while it is there.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="images">The column of pictures.</param>
    /// <param name="captions">The column of captions; null for none.</param>
    /// <param name="channels">3, or 1 for luma.</param>
    /// <param name="batchSize">The most pictures of a batch.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">A row's picture or caption is missing; the message names row and column.</exception>
    public static IEnumerable<PictureBatch> Read(
        IDataView data, ColumnRole images, ColumnRole? captions, int channels, int batchSize, CancellationToken cancellationToken)
    {
        var image = images.Find(data.Schema);
        var caption = captions?.Find(data.Schema);
        using var cursor = data.GetRowCursor(caption is null ? [image] : [image, caption.Value]);
        var imageGetter = cursor.GetGetter<MLImage>(image);
        var captionGetter = caption is null ? null : cursor.GetGetter<ReadOnlyMemory<char>>(caption.Value);
        var (planes, texts, size) = (new List<byte[]>(), new List<string>(), (Height: 0, Width: 0));
        MLImage? picture = null; // the source may dispose the one before when it gives the next
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            imageGetter(ref picture!);
            if (picture is null)
                throw Missing(image);
            if (planes.Count == batchSize || (planes.Count > 0 && size != (picture.Height, picture.Width)))
                yield return Take();
            size = (picture.Height, picture.Width);
            planes.Add(ImagePlanes.Read(picture, channels));
            if (captionGetter is not null)
            {
                ReadOnlyMemory<char> text = default;
                captionGetter(ref text);
                texts.Add(text.IsEmpty ? throw Missing(caption!.Value) : text.ToString());
            }
        }

        if (planes.Count > 0)
            yield return Take();

        PictureBatch Take()
        {
            using var scope = NewDisposeScope();
            var bytes = tensor(planes.SelectMany(plane => plane).ToArray(), [planes.Count, channels, size.Height, size.Width]);
            var batch = new PictureBatch(
                (bytes.to(ScalarType.Float32) / 127.5 - 1).DetachFromDisposeScope(), [.. texts]);
            planes.Clear();
            texts.Clear();
            return batch;
        }

        InvalidOperationException Missing(DataViewSchema.Column column) => new(
            $"Row {cursor.Position} (from 0), column '{column.Name}': the value is missing. Fill it, or filter the row out.");
    }

    /// <summary>A column of pictures.</summary>
    public static ColumnRole Role(string purpose, string column) => new(purpose, column, ColumnKind.Image, "an image");
}
