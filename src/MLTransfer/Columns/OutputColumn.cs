using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>A column that is made.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type. An estimator may not know sizes yet; a schema's shape does not tell them.</param>
/// <param name="Annotations">What is said of its values; null for nothing.</param>
internal sealed record OutputColumn(string Name, DataViewType Type, DataViewSchema.Annotations? Annotations = null)
{
    /// <exception cref="ArgumentException">Two columns have the same name.</exception>
    public static void ThrowIfNamedTwice(IEnumerable<OutputColumn> columns)
    {
        if (columns.GroupBy(column => column.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two generated columns are called '{twice.Key}'; give each its own name.");
    }

    /// <summary>A schema's shape with new columns, in place of those that had their names.</summary>
    public static SchemaShape AddTo(SchemaShape schema, IEnumerable<OutputColumn> outputs)
    {
        var columns = schema.ToDictionary(column => column.Name);
        foreach (var (name, type, annotations) in outputs)
        {
            var item = type.GetItemType();
            columns[name] = new SchemaShape.Column(
                name, type.VectorKindOf(), item is KeyDataViewType ? NumberDataViewType.UInt32 : item, item is KeyDataViewType,
                annotations is null ? null : SchemaShape.Create(annotations.Schema));
        }

        return new SchemaShape(columns.Values);
    }
}
