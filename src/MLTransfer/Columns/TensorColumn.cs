using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Columns;

/// <summary>Columns whose rows are tensors of one shape: what a network can take or learn to give.</summary>
internal static class TensorColumn
{
    private const ColumnKind Numbers = ColumnKind.SingleVector | ColumnKind.Single;
    private const string Expected = "a vector of Single with a known size, a Single, or an image";

    /// <summary>A column that a network takes.</summary>
    public static ColumnRole Input(string column) => new("input", column, Numbers | ColumnKind.Image, Expected);

    /// <summary>A column that a network with a known input takes.</summary>
    public static ColumnRole Input(string column, bool isImage) => isImage
        ? new ColumnRole("input", column, ColumnKind.Image, "an image")
        : new ColumnRole("input", column, Numbers, "a vector of Single with a known size, or a Single");

    /// <summary>A column that a network learns to give.</summary>
    public static ColumnRole Label(string column) =>
        new("label", column, Numbers | ColumnKind.Image | ColumnKind.Key | ColumnKind.Boolean, Expected + ", or a key or a Boolean");

    public static long ElementCount(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, extent) => checked(product * extent));

    /// <summary>The shape that a column's rows have by themselves; null for an image of unknown size.</summary>
    public static IReadOnlyList<long>? OwnShape(DataViewSchema.Column column, long channels) => column.Type switch
    {
        VectorDataViewType vector => [.. vector.Dimensions.Select(extent => (long)extent)],
        ImageDataViewType { Height: > 0, Width: > 0 } image => [channels, image.Height, image.Width],
        ImageDataViewType => null,
        KeyDataViewType key => [(long)Math.Min(key.Count, int.MaxValue)],
        _ => [1],
    };

    /// <summary>Finds a column whose rows can be tensors of a shape.</summary>
    /// <param name="role">The column.</param>
    /// <param name="schema">The schema of the data.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="wanted">What wants it, such as "the network takes".</param>
    /// <exception cref="ArgumentException">It is missing, or of another kind or size; the message names both sizes.</exception>
    public static DataViewSchema.Column Find(ColumnRole role, DataViewSchema schema, IReadOnlyList<long> shape, string wanted)
    {
        var column = role.Find(schema);
        switch (column.Type)
        {
            case ImageDataViewType image:
                if (shape is not [1 or 3, var height, var width])
                    throw Mismatch("an image, which takes [1, height, width] or [3, height, width]");
                if ((image.Height > 0 && image.Height != height) || (image.Width > 0 && image.Width != width))
                    throw Mismatch($"images of {image.Height} rows and {image.Width} columns. Put ResizeImages in front");
                break;
            case KeyDataViewType key when shape is not [var classes] || (ulong)classes != key.Count:
                throw Mismatch($"a key of {key.Count} classes");
            case VectorDataViewType vector when vector.Size != ElementCount(shape):
                throw Mismatch($"a vector of {vector.Size} values");
            case not (VectorDataViewType or KeyDataViewType) when ElementCount(shape) != 1:
                throw Mismatch("a single value");
        }

        return column;

        ArgumentException Mismatch(string found) => role.OfAnotherShape($"{wanted} [{string.Join(", ", shape)}]", found);
    }
}
