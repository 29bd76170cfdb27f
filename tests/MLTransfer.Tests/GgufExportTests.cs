using MLTransfer.Tests.Text;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>A text generator is written as GGUF, and such a file is a base as a folder is.</summary>
public sealed class GgufExportTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_generator_tuned_on_a_gguf_file_is_saved_as_adapters_and_written_as_gguf_again()
    {
        var (data, messages) = (_ml.Data.LoadFromEnumerable(TestData.Stories(6)), new List<string>());
        _ml.Log += (_, e) => messages.Add(e.Message);
        using (var pretrained = _ml.Generation.LoadPretrained(TestData.TinyModel))
            _ml.Generation.ExportToGguf(pretrained, _folder["base.gguf"]);

        var chain = _ml.Transforms.CopyColumns("Copy", "Text").Append(_ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Copy",
            TextGeneratorPipelineTests.Tiny(o =>
            {
                (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["base.gguf"], new LoraOptions { Rank = 2 }, true);
                o.Training = o.Training with { MaximumSteps = 3 };
            }))).Fit(data);
        var texts = chain.Transform(data).GetColumn<string>("Out").ToList();
        _ml.Model.Save(chain, data.Schema, _folder["tuned.zip"]);
        var files = _ml.Generation.ExportToGguf(
            chain, _folder["tuned.gguf"], new GgufExportOptions { Adapter = GgufAdapter.Apart, Modelfile = true });
        _ml.Generation.ExportToGguf(chain, _folder["merged.gguf"]);

        Assert.Equal(["tuned.gguf", "tuned.adapter.gguf", "Modelfile"], files.Select(file => Path.GetFileName(file.Path)));
        Assert.All(files, file => Assert.Contains(messages, message => message.Contains(file.Path, StringComparison.Ordinal)));
        Assert.Equal(
            "FROM ./tuned.gguf\nADAPTER ./tuned.adapter.gguf\nTEMPLATE \"\"\"{{ .Prompt }}\"\"\"\n",
            File.ReadAllText(_folder["Modelfile"]));
        Assert.InRange(new FileInfo(_folder["tuned.zip"]).Length, 1, new FileInfo(_folder["base.gguf"]).Length / 4);
        var loaded = _ml.Model.Load(_folder["tuned.zip"], out _);
        Assert.Equal(texts, loaded.Transform(data).GetColumn<string>("Out"));
        using var merged = _ml.Generation.LoadPretrained(_folder["merged.gguf"]);
        var generation = new GenerationOptions { MaximumNewTokens = 5 };
        Assert.Equal(texts, TestData.Stories(6).Select(story => merged.Generate(story.Opening!, generation)));
        using var before = _ml.Generation.LoadPretrained(_folder["tuned.gguf"]);
        Assert.NotEqual(texts, TestData.Stories(6).Select(story => before.Generate(story.Opening!, generation)));

        // A base with other weights is not that of the adapters.
        _ml.Generation.ExportToGguf(merged, _folder["base.gguf"]);
        var message = Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder["tuned.zip"], out _)).ToString();
        Assert.Contains("base.gguf", message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_text_generator_is_refused_before_a_file_is_written()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var model = _ml.Transforms.CopyColumns("Copy", "Text").Fit(data);
        Assert.Contains(
            "no text generator", Assert.Throws<ArgumentException>(() => _ml.Generation.ExportToGguf(model, _folder["no.gguf"])).Message,
            StringComparison.Ordinal);
        using var pretrained = _ml.Generation.LoadPretrained(TestData.TinyModel);
        Assert.Throws<ArgumentException>(() => _ml.Generation.ExportToGguf(pretrained, _folder.Path));
        Assert.Throws<DirectoryNotFoundException>(() => _ml.Generation.ExportToGguf(pretrained, _folder["missing/model.gguf"]));
        Assert.Throws<ArgumentException>(() => _ml.Generation.ExportToGguf(
            pretrained, _folder["no.gguf"], new GgufExportOptions { Precision = (GgufPrecision)9 }));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(
            () => _ml.Generation.ExportToGguf(pretrained, _folder["no.gguf"], cancellationToken: cancelled.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }
}
