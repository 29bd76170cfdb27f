namespace MLTransfer.Tests.Pages;

/// <summary>The current folder while a page's program runs, whose paths are relative, and what it prints.</summary>
internal sealed class PageFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _folderBefore = Environment.CurrentDirectory;
    private readonly TextWriter _outputBefore = Console.Out;

    public PageFolder() => Environment.CurrentDirectory = _folder.Path;

    public string Path => _folder.Path;

    public string this[string relativePath] => _folder[relativePath];

    /// <summary>Copies the files of a folder into one of this.</summary>
    public void Copy(string source, string name)
    {
        Directory.CreateDirectory(this[name]);
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, System.IO.Path.Combine(this[name], System.IO.Path.GetFileName(file)));
    }

    /// <summary>What a program prints.</summary>
    public string Printed(Action program)
    {
        using var output = new StringWriter { NewLine = "\n" };
        Console.SetOut(output);
        try
        {
            program();
        }
        finally
        {
            Console.SetOut(_outputBefore);
        }

        return output.ToString().TrimEnd('\n');
    }

    public void Dispose()
    {
        Environment.CurrentDirectory = _folderBefore;
        _folder.Dispose();
    }
}
