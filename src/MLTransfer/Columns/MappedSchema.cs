using Microsoft.ML;

namespace MLTransfer.Columns;

/// <summary>A data schema with new columns behind its own.</summary>
internal sealed class MappedSchema
{
    public MappedSchema(DataViewSchema input, IColumnMapping mapping)
    {
        Input = input;
        Sources = mapping.FindInputs(input);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        foreach (var (name, type, annotations) in mapping.Outputs)
            builder.AddColumn(name, type, annotations);
        Output = builder.ToSchema();
    }

    public DataViewSchema Input { get; }

    public DataViewSchema Output { get; }

    /// <summary>The columns that the new ones are made from.</summary>
    public IReadOnlyList<DataViewSchema.Column> Sources { get; }

    /// <summary>
    /// Whether the column of an index in <see cref="Output"/> is a new one; otherwise it is one of <see cref="Input"/>, with the same index
    /// there.
    /// </summary>
    public bool IsNew(int index) => index >= Input.Count;

    /// <summary>The number of a new column among the new ones.</summary>
    public int NewColumn(int index) => index - Input.Count;

    /// <summary>The input columns that the wanted output columns are made from.</summary>
    public IReadOnlyList<DataViewSchema.Column> Dependencies(IEnumerable<DataViewSchema.Column> wanted)
    {
        var indices = wanted
            .SelectMany(column => IsNew(column.Index) ? Sources.Select(source => source.Index) : [column.Index]).ToHashSet();
        return [.. Input.Where(column => indices.Contains(column.Index))];
    }

    /// <summary>Checks that a column is one of <see cref="Output"/>.</summary>
    public void Check(DataViewSchema.Column column)
    {
        if (column.Index >= Output.Count || Output[column.Index].Name != column.Name)
            throw new ArgumentException($"The column '{column.Name}' does not belong to this data.", nameof(column));
    }
}
