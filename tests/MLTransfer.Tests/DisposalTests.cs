using MLTransfer.Onnx;
using MLTransfer.Tests.Audio;
using MLTransfer.Tests.Images;
using MLTransfer.Torch.Networks.Described;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>Transformers that are disposed, before a call or in the middle of it.</summary>
public sealed class DisposalTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Disposing_while_other_threads_are_in_calls_ends_no_process_and_every_call_finishes_or_is_refused()
    {
        foreach (var kind in (string[])["text", "image", "network"])
            File.Copy(RepositoryFiles.Data($"zips/{kind}-0.1.zip"), _folder[$"{kind}.zip"]);
        var words = _ml.Data.LoadFromEnumerable([new { Opening = "a red square" }]);
        foreach (var (kind, model) in ((string, string)[])[("music", TinyAudio.Music), ("speech", TinyAudio.Speech)])
        {
            var rows = _ml.Data.LoadFromEnumerable([new { Opening = "piano" }]);
            using var transformer = _ml.Transforms.GenerateAudio("Made", "Opening", model, new()
            {
                Music = kind == "music" ? TinyAudio.Short : null, GenerationBatchSize = 2,
            }).Fit(rows);
            _ml.Model.Save(transformer, rows.Schema, _folder[$"{kind}.zip"]);
        }

        using (var artist = _ml.Transforms.GenerateImages("Picture", "Opening", TinyCaptions.Save(_folder["dalle"])).Fit(words))
            _ml.Model.Save(artist, words.Schema, _folder["captions.zip"]);
        var (exitCode, output, errors) = await TestProcess.RunAsync(_folder.Path, "dispose", "4", $"{Environment.TickCount}", _folder.Path);
        Assert.True(exitCode == 0, $"exit code {exitCode}: {errors}");
        string[] kinds =
            ["text", "image", "captions", "network", "music", "speech", "ONNX text", "engine", "text training", "network training"];
        foreach (var kind in kinds)
            Assert.Contains($"\n{kind}, ", "\n" + output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text", false)]
    [InlineData("text", true)]
    [InlineData("image", false)]
    [InlineData("image", true)]
    [InlineData("captions", false)]
    [InlineData("captions", true)]
    [InlineData("network", false)]
    [InlineData("network", true)]
    [InlineData("audio", false)]
    [InlineData("audio", true)]
    [InlineData("ONNX", false)]
    [InlineData("ONNX", true)]
    public void A_disposed_model_is_neither_saved_nor_exported_and_old_files_stay(string kind, bool network)
    {
        var (model, disposeNetwork, rows) = Create(kind);
        _ml.Generation.Save(model, rows.Schema, _folder["model.zip"]);
        var writes = new List<(string Path, Action Write)>
        {
            (_folder["model.zip"], () => _ml.Generation.Save(model, rows.Schema, _folder["model.zip"])),
        };
        if (kind != "ONNX")
        {
            var exported = kind is "text" or "audio" ? "export" : "model.onnx";
            writes.Add((_folder["folder"], () => _ml.Generation.SaveModelFolder(model, _folder["folder"])));
            if (kind != "captions")
                writes.Add((_folder[exported], () => _ml.Generation.ExportToOnnx(model, _folder[exported])));
            writes.ForEach(write => write.Write());
        }

        var before = Contents();
        if (network)
            disposeNetwork();
        else
            model.Dispose();

        Assert.All(writes, write => Assert.Throws<ObjectDisposedException>(write.Write));
        using var stream = new MemoryStream();
        Assert.Throws<ObjectDisposedException>(() => _ml.Model.Save(model, rows.Schema, stream));
        Assert.Equal(before, Contents());
    }

    [Fact]
    public void ML_NETs_own_Save_refuses_a_disposed_model_but_empties_the_file_first()
    {
        var (model, _, rows) = Create("text");
        _ml.Model.Save(model, rows.Schema, _folder["model.zip"]);
        var whole = new FileInfo(_folder["model.zip"]).Length;
        model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _ml.Model.Save(model, rows.Schema, _folder["model.zip"]));

        Assert.InRange(new FileInfo(_folder["model.zip"]).Length, 0, whole / 2); // docs/serving.md says so
    }

    [Fact]
    public void A_model_disposed_by_a_prediction_engine_says_how_to_keep_it()
    {
        var (model, _, rows) = Create("text");
        string first;
        using (var engine = _ml.Model.CreatePredictionEngine<Story, Continued>(model, Shared()))
            first = engine.Predict(new Story { Opening = "the red" }).Continuation!;
        using (var engine = _ml.Model.CreatePredictionEngine<Story, Continued>(model, Shared()))
            Assert.Equal(first, engine.Predict(new Story { Opening = "the red" }).Continuation);

        var cursor = model.Transform(rows);
        var other = _ml.Model.CreatePredictionEngine<Story, Continued>(model, Shared());
        _ml.Model.CreatePredictionEngine<Story, Continued>(model).Dispose(); // it owns the model: that is ML.NET's default

        Action[] calls =
        [
            () => _ml.Model.CreatePredictionEngine<Story, Continued>(model, Shared()),
            () => other.Predict(new Story { Opening = "the red" }),
            () => model.Transform(rows),
            () => Assert.NotEmpty(cursor.GetColumn<string>("Continuation")),
            () => _ml.Generation.StreamAsync(model, "the red"),
            () => _ml.Generation.Evaluate(model, rows, "Text"),
        ];
        Assert.All(calls, call => Assert.Contains(
            "PredictionEngineOptions { OwnsTransformer = false }", Assert.Throws<ObjectDisposedException>(call).Message,
            StringComparison.Ordinal));

        static PredictionEngineOptions Shared() => new() { OwnsTransformer = false };
    }

    private (ColumnMappingTransformer Model, Action DisposeNetwork, IDataView Rows) Create(string kind)
    {
        var stories = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        switch (kind)
        {
            case "text":
                var text = Text();
                return (text, text.Model.Dispose, stories);
            case "image":
                var seeds = TinyGenerator.Seeds(_ml, 2);
                var image = _ml.Transforms.GenerateImages("Picture", "Seed", TinyGenerator.Save(_folder)).Fit(seeds);
                return (image, image.Model.Dispose, seeds);
            case "captions":
                var captions = _ml.Data.LoadFromEnumerable(TinyCaptions.Rows(2));
                var artist = (TextToImageTransformer)_ml.Transforms.GenerateImages(
                    "Picture", "Caption", TinyCaptions.Save(_folder["dalle"])).Fit(captions);
                return (artist, artist.Network.Dispose, captions);
            case "audio":
                var words = _ml.Data.LoadFromEnumerable(TinyAudio.Words(2));
                var audio = _ml.Transforms.GenerateAudio("Made", "Opening", TinyAudio.Voice).Fit(words);
                return (audio, audio.Model.Dispose, words);
            case "network":
                var network = _ml.Transforms.FineTuneTorchModule("Found", "Number", "Number", new TorchModuleOptions
                {
                    NewLayers = [Layer.Dense(2), Layer.Dense(1)], Training = new() { NumberOfEpochs = 1 },
                }).Fit(stories);
                return (network, network.Network.Dispose, stories);
            default:
                using (var exported = Text())
                    _ml.Generation.ExportToOnnx(exported, _folder["onnx"], new OnnxExportOptions { Check = false });
                var onnx = _ml.Generation.LoadOnnx(_folder["onnx"], "Continuation", "Opening");
                return (onnx, onnx.Model.Dispose, stories);
        }

        TextGeneratorTransformer Text() => _ml.Transforms.Text.GenerateText(
            "Continuation", "Opening", TestData.TinyModel, new() { Generation = new() { MaximumNewTokens = 5 } }).Fit(stories);
    }

    private List<(string Path, string Content)> Contents() =>
    [
        .. Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => (path, Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))))),
    ];
}
