using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.SchemaShape.Column;

#pragma warning disable CA1720 // The names of the kinds are the names of types.

namespace MLTransfer.Columns;

/// <summary>The kinds of column that estimators and transformers tell apart; several of them for what a role accepts.</summary>
[Flags]
internal enum ColumnKind
{
    None = 0,

    /// <summary>A text.</summary>
    Text = 1,

    /// <summary>A number of the type Single.</summary>
    Single = 2,

    /// <summary>A number of another type.</summary>
    OtherNumber = 4,

    /// <summary>A number of any type.</summary>
    Number = Single | OtherNumber,

    /// <summary>True or false.</summary>
    Boolean = 8,

    /// <summary>A key: one of a known number of classes.</summary>
    Key = 16,

    /// <summary>A vector of Single with a known size.</summary>
    SingleVector = 32,

    /// <summary>A picture.</summary>
    Image = 64,

    /// <summary>A sound.</summary>
    Sound = 128,

    /// <summary>A vector of bytes, of a known size or of any.</summary>
    Bytes = 256,
}

internal static class ColumnKinds
{
    /// <summary>The kind of a column as far as a schema's shape tells.</summary>
    public static ColumnKind KindOf(this SchemaShape.Column column) => KindOf(column.Kind, column.ItemType, column.IsKey);

    /// <summary>The kind of a column.</summary>
    public static ColumnKind KindOf(this DataViewType type)
    {
        var item = type.GetItemType();
        return KindOf(type.VectorKindOf(), item, item is KeyDataViewType);
    }

    /// <summary>Whether a type is a single value, or a vector of a known size or of any.</summary>
    public static VectorKind VectorKindOf(this DataViewType type) => type switch
    {
        VectorDataViewType { IsKnownSize: true } => VectorKind.Vector,
        VectorDataViewType => VectorKind.VariableVector,
        _ => VectorKind.Scalar,
    };

    private static ColumnKind KindOf(VectorKind vector, DataViewType item, bool isKey) => (vector, item, isKey) switch
    {
        (VectorKind.Scalar, _, true) => ColumnKind.Key,
        (VectorKind.Scalar, TextDataViewType, _) => ColumnKind.Text,
        (VectorKind.Scalar, ImageDataViewType, _) => ColumnKind.Image,
        (VectorKind.Scalar, WaveformDataViewType, _) => ColumnKind.Sound,
        (VectorKind.Scalar, BooleanDataViewType, _) => ColumnKind.Boolean,
        (VectorKind.Scalar, NumberDataViewType number, _) when number == NumberDataViewType.Single => ColumnKind.Single,
        (VectorKind.Scalar, NumberDataViewType, _) => ColumnKind.OtherNumber,
        (VectorKind.Vector, NumberDataViewType number, false) when number == NumberDataViewType.Single => ColumnKind.SingleVector,
        (not VectorKind.Scalar, NumberDataViewType number, false) when number == NumberDataViewType.Byte => ColumnKind.Bytes,
        _ => ColumnKind.None,
    };
}
