using System.Globalization;

namespace TuneDefaults;

/// <summary>Losses of two recipes on test parts, in nats a token, kept in a file from which a comparison goes on.</summary>
internal sealed class Comparison
{
    private readonly string _file;
    private readonly List<(string Text, double Reference, double Found)> _rows = [];

    /// <param name="file">Comma-separated; rows that it has are not measured again.</param>
    public Comparison(string file)
    {
        _file = file;
        if (!File.Exists(file))
        {
            File.WriteAllText(file, "text,reference,found\n");
            return;
        }

        foreach (var line in File.ReadLines(file).Skip(1))
        {
            var cells = line.Split(',');
            _rows.Add((string.Join(',', cells[..^2]), Number(cells[^2]), Number(cells[^1])));
        }
    }

    /// <summary>The mean of the differences.</summary>
    public string Summary => $"mean gain {_rows.Average(row => row.Reference - row.Found):F4} nats a token on {_rows.Count} texts";

    /// <summary>Measures both recipes on a text and prints what comes out.</summary>
    /// <param name="text">Its name.</param>
    /// <param name="measure">The loss of the reference's recipe (false), or of the one that was found.</param>
    public void Row(string text, Func<bool, double> measure)
    {
        if (!_rows.Any(row => row.Text == text))
        {
            var (reference, found) = (measure(false), measure(true));
            _rows.Add((text, reference, found));
            File.AppendAllText(_file, FormattableString.Invariant($"{text},{reference:F4},{found:F4}\n"));
        }

        var (_, before, after) = _rows.First(row => row.Text == text);
        Console.WriteLine($"{text,-40} {before:F4} {after:F4} {before - after,8:F4}");
    }

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);
}
