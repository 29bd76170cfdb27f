using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Persistence;

/// <summary><c>mlContext.Generation.Save</c>.</summary>
public sealed class ModelSavingTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_writes_what_ML_NET_writes_of_a_chain()
    {
        var (model, rows) = Chain();
        _ml.Generation.Save(model, rows.Schema, _folder["new/model.zip"]); // the folder is made
        _ml.Model.Save(model, rows.Schema, _folder["plain.zip"]);

        Assert.Equal(Entries(_folder["plain.zip"]), Entries(_folder["new/model.zip"]));
        using var loaded = (IDisposable)_ml.Model.Load(_folder["new/model.zip"], out var schema);
        Assert.Equal(rows.Schema.Select(column => column.Name), schema.Select(column => column.Name));
        Assert.Equal(
            model.Transform(rows).GetColumn<string>("Continuation"),
            ((ITransformer)loaded).Transform(rows).GetColumn<string>("Continuation"));
        Assert.Equal(["model.zip"], Directory.GetFiles(_folder["new"]).Select(Path.GetFileName));
    }

    [Fact]
    public void It_takes_any_transformer_without_a_schema_and_says_what_it_has_written()
    {
        var rows = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var messages = new List<string>();
        _ml.Log += (_, entry) => messages.Add(entry.Message);

        _ml.Generation.Save(_ml.Transforms.CopyColumns("Copy", "Text").Fit(rows), inputSchema: null, _folder["copy.zip"]);

        Assert.Equal(2, _ml.Model.Load(_folder["copy.zip"], out _).Transform(rows).GetColumn<string>("Copy").Count());
        Assert.Contains(messages, message => message.Contains("copy.zip", StringComparison.Ordinal));
        Assert.Contains(messages, message => message.Contains("Saved the model: 0.0 MB", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_is_refused()
    {
        var (model, rows) = Chain();
        Assert.Contains("is a folder", Assert.Throws<IOException>(
            () => _ml.Generation.Save(model, rows.Schema, _folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kill_in_the_middle_leaves_the_old_file_and_the_next_save_sweeps_up()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The process ends by a limit of Linux.");
        var old = RepositoryFiles.Data("zips/text-0.1.zip");
        File.Copy(old, _folder["model.zip"]);

        var (exitCode, _, _) = await TestProcess.RunAsync(_folder.Path, "save", old, _folder["model.zip"]);

        Assert.NotEqual(0, exitCode);
        var aside = Assert.Single(Directory.GetFiles(_folder.Path), path => Path.GetFileName(path) != "model.zip");
        Assert.InRange(new FileInfo(aside).Length, 1, new FileInfo(old).Length / 2); // killed in the middle
        Assert.Equal(File.ReadAllBytes(old), File.ReadAllBytes(_folder["model.zip"]));

        var (model, rows) = Chain();
        _ml.Generation.Save(model, rows.Schema, _folder["model.zip"]);
        Assert.Equal(["model.zip"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        Assert.Equal(2, _ml.Model.Load(_folder["model.zip"], out _).Transform(rows).GetColumn<string>("Continuation").Count());
    }

    private (ITransformer Model, IDataView Rows) Chain()
    {
        var rows = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        return (_ml.Transforms.CopyColumns("Prompt", "Opening").Append(_ml.Transforms.Text.GenerateText(
            "Continuation", "Prompt", TestData.TinyModel, new() { Generation = new() { MaximumNewTokens = 5 } })).Fit(rows), rows);
    }

    private static List<(string Name, long Length, uint Checksum)> Entries(string zip)
    {
        using var archive = ZipFile.OpenRead(zip);
        return [.. archive.Entries.Select(entry => (entry.FullName, entry.Length, entry.Crc32))];
    }
}
