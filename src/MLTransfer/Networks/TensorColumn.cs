using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.SchemaShape.Column;

namespace MLTransfer.Networks;

/// <summary>Finds columns that a network can take or learn to give, and the tensors that their rows are.</summary>
internal static class TensorColumn
{
    private const string Expected = "a vector of Single with a known size, a Single, or an image";

    public static long ElementCount(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, extent) => checked(product * extent));

    /// <summary>Checks a column as far as a schema's shape tells.</summary>
    /// <exception cref="ArgumentException">It is missing, or has another type.</exception>
    public static SchemaShape.Column Check(SchemaShape schema, string role, string name, bool isLabel)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw Missing(role, name, schema.Select(c => c.Name));
        var isUsable = column switch
        {
            { IsKey: true } => isLabel && column.Kind == VectorKind.Scalar,
            { Kind: VectorKind.Vector } => column.ItemType == NumberDataViewType.Single,
            { Kind: VectorKind.Scalar } => column.ItemType is ImageDataViewType || column.ItemType == NumberDataViewType.Single
                || (isLabel && column.ItemType is BooleanDataViewType),
            _ => false,
        };
        return isUsable ? column : throw WrongType(role, name, column.GetTypeString(), isLabel);
    }

    /// <summary>Finds a column.</summary>
    /// <exception cref="ArgumentException">It is missing, or has another type.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string role, string name, bool isLabel)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
            throw Missing(role, name, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        var isUsable = column.Type switch
        {
            VectorDataViewType vector => vector is { IsKnownSize: true, ItemType: NumberDataViewType item } && item == NumberDataViewType.Single,
            KeyDataViewType or BooleanDataViewType => isLabel,
            ImageDataViewType => true,
            var type => type == NumberDataViewType.Single,
        };
        return isUsable ? column : throw WrongType(role, name, column.Type.ToString()!, isLabel);
    }

    /// <summary>The shape that a column's rows have by themselves; null for an image of unknown size.</summary>
    public static IReadOnlyList<long>? OwnShape(DataViewSchema.Column column, long channels) => column.Type switch
    {
        VectorDataViewType vector => [.. vector.Dimensions.Select(extent => (long)extent)],
        ImageDataViewType { Height: > 0, Width: > 0 } image => [channels, image.Height, image.Width],
        ImageDataViewType => null,
        KeyDataViewType key => [(long)Math.Min(key.Count, int.MaxValue)],
        _ => [1],
    };

    /// <summary>Checks that a column's rows can be tensors of a shape.</summary>
    /// <exception cref="ArgumentException">They cannot; the message names both sizes.</exception>
    public static void CheckShape(DataViewSchema.Column column, string role, IReadOnlyList<long> shape, string wanted)
    {
        var described = $"[{string.Join(", ", shape)}]";
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

        ArgumentException Mismatch(string found) => new($"Shape mismatch for {role} column '{column.Name}': {wanted} {described}, but the column has {found}.");
    }

    private static ArgumentException Missing(string role, string name, IEnumerable<string> present) =>
        new($"Could not find {role} column '{name}'. The data has the columns {string.Join(", ", present.Select(p => $"'{p}'"))}.");

    private static ArgumentException WrongType(string role, string name, string type, bool isLabel) =>
        new($"Schema mismatch for {role} column '{name}': expected {Expected}{(isLabel ? ", or a key or a Boolean" : "")}, got {type}.");
}
