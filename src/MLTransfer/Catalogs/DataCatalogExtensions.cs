using MLTransfer.Loading;
using MLTransfer.Torch.Collectives;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>Files of rows in <c>mlContext.Data</c>, beside those that ML.NET reads.</summary>
public static class DataCatalogExtensions
{
    /// <summary>Reads files with a JSON object a line, as data sets of prompts and completions come.</summary>
    /// <remarks>
    /// Lines are read while the data is gone through, each time anew, and never all at once. An object's entries are the row's columns of
    /// that name, in whatever case; entries that the row has no column for are passed over, as empty lines are. Every column must be there,
    /// unless its type is nullable (<c>string?</c>). An entry that is an object or a list, such as <c>messages</c> of a chat, is the text
    /// of
    /// its JSON in a column of texts. What is wrong with a line is an <see cref="InvalidDataException"/> while reading,
    /// which names file and line.
    /// </remarks>
    /// <typeparam name="TRow">
    /// The columns, as public properties or fields, such as <c>public string Text { get; set; } = "";</c>.
    /// </typeparam>
    /// <param name="catalog">The catalog.</param>
    /// <param name="paths">One file or several, in the order of rows.</param>
    /// <exception cref="ArgumentException">There is no path.</exception>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    public static IDataView LoadFromJsonLines<TRow>(this DataOperationsCatalog catalog, params string[] paths)
        where TRow : class
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Length == 0)
            throw new ArgumentException("There is no file: give the path of one at least.", nameof(paths));
        foreach (var path in paths)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(path, nameof(paths));
            if (!File.Exists(path))
                throw new FileNotFoundException($"There is no file '{Path.GetFullPath(path)}' (given as '{path}').", path);
        }

        return catalog.LoadFromEnumerable(new JsonLines<TRow>([.. paths]));
    }

    /// <summary>
    /// A rank's part of rows that ranks divide among them, such as prompts that each continues its own of: neighbours, as many as other
    /// ranks have or one more. <see cref="CollectiveExtensions.Gather"/> brings results together again, in the order of rows.
    /// </summary>
    /// <remarks>What is drawn for a text depends on the text and the seed, not on the rank that makes it.</remarks>
    /// <param name="catalog">The catalog.</param>
    /// <param name="data">The same on all ranks.</param>
    /// <param name="ranks">The ranks.</param>
    public static IDataView TakeShare(this DataOperationsCatalog catalog, IDataView data, ICollective ranks)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(ranks);
        var count = data.GetRowCount() ?? Count(data);
        var (start, end) = (Start(ranks.Rank), Start(ranks.Rank + 1));
        if (start == end)
            return count == 0 ? data : catalog.SkipRows(data, count); // ML.NET takes no zero rows, but skips all
        return catalog.TakeRows(start == 0 ? data : catalog.SkipRows(data, start), end - start);

        long Start(int rank) => (long)((Int128)count * rank / ranks.Size);
    }

    private static long Count(IDataView data)
    {
        long count = 0;
        using var cursor = data.GetRowCursor([]);
        while (cursor.MoveNext())
            count++;
        return count;
    }
}
