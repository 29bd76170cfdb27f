using System.Text;

namespace MLTransfer.Experiments.Running;

/// <summary>
/// <c>journal.jsonl</c>: all that happened in an experiment, a line for each event, each written before the experiment goes on. A kill
/// leaves all lines but at most a part of the last, which the next one to open the file takes away.
/// </summary>
internal sealed class TrialJournal : IDisposable
{
    public const string FileName = "journal.jsonl";

    private readonly IDisposable? _lock; // a file of its own, so that others may read the journal while it is written
    private readonly FileStream _file;

    /// <summary>Opens the journal of a folder, or begins one.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="isShared">Whether it is only read, beside the process that writes it.</param>
    /// <exception cref="IOException">Another experiment has it open, or it cannot be written.</exception>
    /// <exception cref="InvalidDataException">It is damaged; the message names the line.</exception>
    public TrialJournal(string folder, bool isShared = false)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, FileName);
        _lock = isShared ? null : LockFile.TryTake(path + ".lock") ?? throw new IOException(
            $"The journal '{path}' is in use by another experiment, of this process or of another one. Wait for it, or take another "
            + "folder.");
        try
        {
            _file = isShared ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
                : new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            Lines = Read(path);
        }
        catch
        {
            _file?.Dispose();
            _lock?.Dispose();
            throw;
        }
    }

    /// <summary>What was written before it was opened.</summary>
    public IReadOnlyList<JournalLine> Lines { get; }

    public void Write(JournalLine line)
    {
        _file.Write(Encoding.UTF8.GetBytes(JournalText.Write(line) + "\n"));
        _file.Flush(flushToDisk: line is not JournalLine.Report); // what a power failure takes of reports comes again
    }

    public void Dispose()
    {
        _file.Dispose();
        _lock?.Dispose();
    }

    private List<JournalLine> Read(string path)
    {
        var content = new byte[_file.Length];
        _file.ReadExactly(content);
        var whole = content.AsSpan().LastIndexOf((byte)'\n') + 1;
        var lines = new List<JournalLine>();
        for (var start = 0; start < whole;)
        {
            var length = content.AsSpan(start, whole - start).IndexOf((byte)'\n');
            lines.Add(JournalText.Read(content.AsSpan(start, length), $"Line {lines.Count + 1} of '{path}'"));
            start += length + 1;
        }

        if (lines.Count > 0 && lines[0] is not JournalLine.Head)
            throw new InvalidDataException($"'{path}' is no journal of an experiment: its first line does not say what was searched.");
        if (_file.CanWrite)
        {
            _file.SetLength(whole);
            _file.Position = whole;
        }

        return lines;
    }
}
