using Microsoft.ML;

namespace MLTransfer.Columns;

/// <summary>Tells in which row and column a value is not usable.</summary>
internal static class RowCheck
{
    /// <exception cref="InvalidOperationException">Reading found the value not usable.</exception>
    public static T Of<T>(DataViewRow source, DataViewSchema.Column column, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ArgumentException exception)
        {
            throw new InvalidOperationException($"Row {source.Position} (from 0), column '{column.Name}': {exception.Message}", exception);
        }
    }
}
