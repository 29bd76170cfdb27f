using Microsoft.ML;

namespace MLTransfer.Columns;

/// <summary>A column that is read, what for, and which kinds of column can serve.</summary>
/// <param name="Purpose">What it is for, as messages say it: "input", "training", "label".</param>
/// <param name="Column">The column's name.</param>
/// <param name="Accepted">The kinds of column that can serve.</param>
/// <param name="Expected">What messages call those kinds.</param>
internal sealed record ColumnRole(string Purpose, string Column, ColumnKind Accepted, string Expected)
{
    /// <summary>Whether the column may be missing.</summary>
    public bool IsOptional { get; init; }

    /// <summary>A column of texts.</summary>
    public static ColumnRole Text(string purpose, string column) => new(purpose, column, ColumnKind.Text, "text");

    /// <summary>Checks the column as far as a schema's shape tells.</summary>
    /// <returns>Its kind; <see cref="ColumnKind.None"/> where it is optional and missing.</returns>
    /// <exception cref="ArgumentException">It is missing, or of another kind.</exception>
    public ColumnKind Check(SchemaShape schema)
    {
        if (!schema.TryFindColumn(Column, out var column))
            return IsOptional ? ColumnKind.None : throw Missing(schema.Select(c => c.Name));
        return Accept(column.KindOf(), column.GetTypeString);
    }

    /// <summary>Finds the column.</summary>
    /// <exception cref="ArgumentException">It is missing, or of another kind.</exception>
    public DataViewSchema.Column Find(DataViewSchema schema)
    {
        if (schema.GetColumnOrNull(Column) is not { } column)
            throw Missing(schema.Where(c => !c.IsHidden).Select(c => c.Name));
        Accept(column.Type.KindOf(), () => column.Type.ToString()!);
        return column;
    }

    /// <summary>What is thrown where the column is of a right kind, but of another shape than the model.</summary>
    /// <param name="expected">What the model takes or gives.</param>
    /// <param name="found">What the column has, and where there is one the remedy.</param>
    public ArgumentException OfAnotherShape(string expected, string found) =>
        new($"Shape mismatch for {Purpose} column '{Column}': {expected}, but the column has {found}.");

    private ColumnKind Accept(ColumnKind kind, Func<string> typeName) => (kind & Accepted) != 0
        ? kind
        : throw new ArgumentException($"Schema mismatch for {Purpose} column '{Column}': expected {Expected}, got {typeName()}.");

    private ArgumentException Missing(IEnumerable<string> present)
    {
        var names = string.Join(", ", present.Select(name => $"'{name}'"));
        return new ArgumentException($"Could not find {Purpose} column '{Column}'. The data has the columns {names}.");
    }
}
