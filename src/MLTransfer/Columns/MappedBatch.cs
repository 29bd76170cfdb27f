namespace MLTransfer.Columns;

/// <summary>The input values of some rows, and what is made of them when the first of the new values is asked for.</summary>
internal abstract class MappedBatch
{
    /// <summary>Forgets the rows.</summary>
    public abstract void Clear();

    /// <summary>Takes the input value of the source's current row, into the next slot or in place of an earlier row.</summary>
    public abstract void Read(int slot);

    /// <summary>A <c>ValueGetter</c> of a new column's type for the slot that <paramref name="current"/> tells.</summary>
    /// <param name="column">The number of the new column.</param>
    /// <param name="current">Tells the slot; it may take a row first.</param>
    public abstract Delegate CreateGetter(int column, Func<int> current);
}
