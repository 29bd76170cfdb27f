using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Mapping;

/// <summary>Makes new columns from an input column, many rows at a time.</summary>
internal interface IColumnMapping
{
    /// <summary>Rows that are computed together.</summary>
    int BatchSize { get; }

    /// <summary>The new columns in the order of the output schema.</summary>
    IReadOnlyList<(string Name, DataViewType Type)> NewColumns { get; }

    /// <summary>Finds the input column.</summary>
    /// <exception cref="ArgumentException">It is missing, or has another type.</exception>
    DataViewSchema.Column FindInput(DataViewSchema schema);

    /// <summary>Makes room for the rows of a batch.</summary>
    /// <param name="source">Where the input column's values come from.</param>
    /// <param name="input">The input column.</param>
    /// <param name="slots">The most rows of a batch.</param>
    MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column input, int slots);
}
