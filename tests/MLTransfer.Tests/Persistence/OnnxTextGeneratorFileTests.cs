using System.IO.Compression;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Persistence;

public sealed class OnnxTextGeneratorFileTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public OnnxTextGeneratorFileTests()
    {
        using var model = TextGenerationModel.Load(TestData.TinyModel);
        OnnxExporter.Export(
            model.Network, model.Tokenizer, _folder["export"], new OnnxExportOptions { ExternalDataFrom = 1000, Check = false });
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_transformer_gives_the_same_rows_after_saving_and_loading()
    {
        var data = Data(5);
        using var transformer = Load(o =>
        {
            (o.TokenIdsColumnName, o.LogProbabilitiesColumnName, o.GenerationBatchSize, o.ThreadCount) = ("Ids", "Scores", 2, 1);
            o.Generation = new() { Sample = true, MaximumNewTokens = 7, StopStrings = ["zzz"] };
        });
        var before = transformer.Transform(data);
        _ml.Model.Save(transformer, data.Schema, _folder["model.zip"]);

        using var loaded = (OnnxTextGeneratorTransformer)new MLContext(99).Model.Load(_folder["model.zip"], out var schema);

        Assert.Equal(data.Schema.Select(c => c.Name), schema.Select(c => c.Name));
        AssertSame(loaded);
        Directory.Delete(_folder["export"], recursive: true);
        _ml.Model.Save(loaded, data.Schema, _folder["again.zip"]);
        using var twice = (OnnxTextGeneratorTransformer)_ml.Model.Load(_folder["again.zip"], out _);
        AssertSame(twice);

        void AssertSame(OnnxTextGeneratorTransformer other)
        {
            var after = other.Transform(data);
            Assert.Equal(before.GetColumn<string>("Continuation"), after.GetColumn<string>("Continuation"));
            Assert.Equal(before.GetColumn<int[]>("Ids"), after.GetColumn<int[]>("Ids"));
            Assert.Equal(before.GetColumn<float[]>("Scores"), after.GetColumn<float[]>("Scores"));
            Assert.Equal((2, 1), (other.GenerationBatchSize, other.Model.Options.ThreadCount));
        }
    }

    [Fact]
    public async Task Another_process_that_calls_only_ML_NET_generates_without_loading_libtorch()
    {
        var (transformer, _) = Save("model.zip");
        string[] prompts = ["Story 0: the old man", "Story 1: the old man", "Grüße"];

        var (texts, modules) = await LoadingProcess.RunAsync(_folder["model.zip"], "Continuation", prompts);

        using (transformer)
        {
            var expected = transformer.Transform(_ml.Data.LoadFromEnumerable(prompts.Select(prompt => new Story { Opening = prompt })));
            Assert.Equal(expected.GetColumn<string>("Continuation"), texts);
        }

        Assert.Contains(modules, module => module.Contains("onnxruntime", StringComparison.Ordinal));
        Assert.DoesNotContain(modules, LoadingProcess.IsLibtorch);
    }

    [Fact]
    public void The_parts_of_a_model_file_are_an_export()
    {
        var (transformer, data) = Save("model.zip");
        using (transformer)
        using (var zip = ZipFile.OpenRead(_folder["model.zip"]))
        {
            Directory.CreateDirectory(_folder["unpacked"]);
            var parent = Path.GetDirectoryName(zip.Entries.Single(e => e.Name == "model.onnx").FullName);
            foreach (var entry in zip.Entries.Where(e => Path.GetDirectoryName(e.FullName) == parent))
                entry.ExtractToFile(Path.Combine(_folder["unpacked"], entry.Name));
            var weights = zip.Entries.Single(e => e.Name == "model.onnx_data");
            Assert.Equal(weights.Length, weights.CompressedLength);
            using var unpacked = _ml.Generation.LoadOnnx(_folder["unpacked"], "Continuation", "Opening", Options());
            Assert.Equal(
                transformer.Transform(data).GetColumn<string>("Continuation"), unpacked.Transform(data).GetColumn<string>("Continuation"));
        }
    }

    [Fact]
    public void Disposing_a_loaded_transformer_deletes_its_unpacked_files()
    {
        Save("model.zip").Transformer.Dispose();
        var loaded = (OnnxTextGeneratorTransformer)_ml.Model.Load(_folder["model.zip"], out _);
        var unpacked = loaded.Model.Files.Folder;
        Assert.True(File.Exists(Path.Combine(unpacked, "model.onnx_data")));

        loaded.Dispose();

        Assert.False(Directory.Exists(unpacked));
        Assert.Throws<ObjectDisposedException>(() => loaded.Transform(Data(1)).GetColumn<string>("Continuation").ToList());
    }

    [Fact]
    public void An_export_that_was_replaced_after_loading_is_not_saved()
    {
        using var transformer = Load();
        File.AppendAllText(_folder["export/model.onnx_data"], "x");
        var error = Assert.ThrowsAny<IOException>(() => _ml.Model.Save(transformer, Data(1).Schema, _folder["model.zip"]));
        Assert.Contains("model.onnx_data", error.Message, StringComparison.Ordinal);
        Assert.Contains("changed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_a_newer_version_is_refused_with_both_versions()
    {
        Save("model.zip").Transformer.Dispose();
        ReplaceInEntry("Model.key", bytes =>
        {
            var at = bytes.AsSpan().IndexOf("ONNXTEXT"u8);
            if (at >= 0)
                BitConverter.TryWriteBytes(bytes.AsSpan(at + 8), ModelFileVersion.Current + 7);
        });

        var message = LoadError();

        Assert.Contains("version 1.9", message, StringComparison.Ordinal);
        Assert.Contains("up to 1.2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flipped_bit_in_the_weights_is_found()
    {
        Save("model.zip").Transformer.Dispose();
        ReplaceInEntry("model.onnx_data", bytes => bytes[100_000] ^= 1);

        var message = LoadError();

        Assert.Contains("model.onnx_data", message, StringComparison.Ordinal);
        Assert.Contains("CRC-32", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.onnx")]
    [InlineData("model.onnx_data")]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public void A_missing_part_is_named(string name)
    {
        Save("model.zip").Transformer.Dispose();
        using (var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update))
            zip.Entries.Single(e => e.Name == name).Delete();

        Assert.Contains(name, LoadError(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../escape.onnx")]
    [InlineData("a/b")]
    [InlineData("c:b")]
    [InlineData("..")]
    public void A_file_name_that_leads_out_of_the_folder_is_refused(string name)
    {
        var manifest = new OnnxTextGeneratorManifest
        {
            Columns = TextGeneratorColumns.Create("Out", "In", Options()),
            Generation = new GenerationOptions(), GenerationBatchSize = 1, ModelFile = name, ThreadCount = 1,
            Files = [new StoredFile(name, 1, 0)],
        };
        Assert.Contains($"'{name}'", Assert.Throws<ArgumentException>(manifest.Check).Message, StringComparison.Ordinal);
    }

    private static OnnxTextGeneratorOptions Options() => new() { Generation = new() { MaximumNewTokens = 8 } };

    private IDataView Data(int count) => _ml.Data.LoadFromEnumerable(TestData.Stories(count));

    private OnnxTextGeneratorTransformer Load(Action<OnnxTextGeneratorOptions>? change = null)
    {
        var options = Options();
        change?.Invoke(options);
        return _ml.Generation.LoadOnnx(_folder["export"], "Continuation", "Opening", options);
    }

    private (OnnxTextGeneratorTransformer Transformer, IDataView Data) Save(string name)
    {
        var (transformer, data) = (Load(), Data(3));
        _ml.Model.Save(transformer, data.Schema, _folder[name]);
        return (transformer, data);
    }

    /// <summary>The message of the error that loading gives, or of its innermost cause: ML.NET wraps what a component throws.</summary>
    private string LoadError() => Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder["model.zip"], out _)).ToString();

    private void ReplaceInEntry(string entryName, Action<byte[]> change)
    {
        using var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update);
        foreach (var entry in zip.Entries.Where(e => e.Name == entryName).ToList())
        {
            using var stream = entry.Open();
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            change(bytes);
            stream.Position = 0;
            stream.Write(bytes);
        }
    }
}
