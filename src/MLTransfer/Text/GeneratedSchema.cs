using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>A data schema with the generated columns behind its own.</summary>
internal sealed class GeneratedSchema
{
    private readonly GeneratedColumn[] _kinds;

    public GeneratedSchema(DataViewSchema input, TextGeneratorColumns columns)
    {
        Input = input;
        Prompt = TextGeneratorColumns.FindText(input, "input", columns.Input);
        var generated = columns.Generated.ToList();
        _kinds = [.. generated.Select(column => column.Kind)];
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        foreach (var (_, name, type) in generated)
            builder.AddColumn(name, type);
        Output = builder.ToSchema();
    }

    public DataViewSchema Input { get; }

    public DataViewSchema Output { get; }

    public DataViewSchema.Column Prompt { get; }

    /// <summary>
    /// What the column of an index in <see cref="Output"/> holds, or null where it is one of <see cref="Input"/>, which has the same index there.
    /// </summary>
    public GeneratedColumn? Kind(int index) => index < Input.Count ? null : _kinds[index - Input.Count];

    /// <summary>The input columns that the wanted output columns are made from.</summary>
    public IReadOnlyList<DataViewSchema.Column> Dependencies(IEnumerable<DataViewSchema.Column> wanted)
    {
        var indices = wanted.Select(column => Kind(column.Index) is null ? column.Index : Prompt.Index).ToHashSet();
        return [.. Input.Where(column => indices.Contains(column.Index))];
    }

    /// <summary>Checks that a column is one of <see cref="Output"/>.</summary>
    public void Check(DataViewSchema.Column column)
    {
        if (column.Index >= Output.Count || Output[column.Index].Name != column.Name)
            throw new ArgumentException($"The column '{column.Name}' does not belong to this data.", nameof(column));
    }
}
