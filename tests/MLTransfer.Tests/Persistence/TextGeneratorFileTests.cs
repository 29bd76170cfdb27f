using System.IO.Compression;
using MLTransfer.Persistence;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Persistence;

public sealed class TextGeneratorFileTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fitted_pipeline_gives_the_same_rows_after_saving_and_loading()
    {
        var data = Data(5);
        var fitted = _ml.Transforms.CopyColumns("Prompt", "Opening").Append(_ml.Transforms.Text.FineTuneTextGenerator(
            "Continuation", "Prompt", "Text", TextGeneratorPipelineTests.Tiny(o =>
            {
                (o.TokenIdsColumnName, o.LogProbabilitiesColumnName, o.GenerationBatchSize) = ("Ids", "Scores", 2);
                o.Generation = new() { Sample = true, MaximumNewTokens = 7, StopStrings = ["zzz"] };
            }))).Fit(data);
        _ml.Model.Save(fitted, data.Schema, _folder["model.zip"]);

        var loaded = new MLContext(99).Model.Load(_folder["model.zip"], out var schema);

        Assert.Equal(data.Schema.Select(c => c.Name), schema.Select(c => c.Name));
        var (before, after) = (fitted.Transform(data), loaded.Transform(data));
        Assert.Equal(before.GetColumn<string>("Continuation"), after.GetColumn<string>("Continuation"));
        Assert.Equal(before.GetColumn<int[]>("Ids"), after.GetColumn<int[]>("Ids"));
        Assert.All(before.GetColumn<float[]>("Scores").Zip(after.GetColumn<float[]>("Scores")), row =>
            // kernels round by the alignment of memory
            Assert.All(row.First.Zip(row.Second), score => Assert.Equal(score.First, score.Second, 1e-4f)));
        Assert.Equal(_ml.Generation.Evaluate(fitted, data), _ml.Generation.Evaluate(loaded, data));

        _ml.Model.Save(loaded, data.Schema, _folder["again.zip"]);
        var twice = _ml.Model.Load(_folder["again.zip"], out _);
        Assert.Equal(before.GetColumn<string>("Continuation"), twice.Transform(data).GetColumn<string>("Continuation"));
    }

    [Fact]
    public async Task Another_process_that_calls_only_ML_NET_loads_and_generates()
    {
        var (fitted, data) = Save("model.zip", 3);
        string[] prompts = ["Story 0: the old man", "Story 1: the old man", "Grüße"];

        var (texts, modules) = await LoadingProcess.RunAsync(_folder["model.zip"], "Continuation", prompts);

        var expected = fitted.Transform(_ml.Data.LoadFromEnumerable(prompts.Select(prompt => new Story { Opening = prompt })));
        Assert.Equal(expected.GetColumn<string>("Continuation"), texts);
        Assert.Contains(modules, LoadingProcess.IsLibtorch);
    }

    [Theory]
    [InlineData(WeightType.Float32, 4, 0)]
    [InlineData(WeightType.Float16, 2, 1e-3)]
    [InlineData(WeightType.BFloat16, 2, 1e-2)]
    public void Weights_are_stored_in_the_chosen_format_without_compression(WeightType type, int bytes, double tolerance)
    {
        var (fitted, data) = Save("model.zip", 3, o => o.WeightType = type);

        using (var zip = ZipFile.OpenRead(_folder["model.zip"]))
        {
            var entry = Assert.Single(zip.Entries, e => e.Name == "model.safetensors");
            var elements = fitted.Model.Network.CheckpointTensors().Sum(p => p.Value.numel());
            Assert.InRange(entry.Length, elements * bytes, elements * bytes + 10_000);
            Assert.Equal(entry.Length, entry.CompressedLength);
            foreach (var name in (string[])["config.json", "tokenizer.json"])
                Assert.Single(zip.Entries, e => e.Name == name);
        }

        var loaded = (TextGeneratorTransformer)((IEnumerable<ITransformer>)_ml.Model.Load(_folder["model.zip"], out _)).Last();
        foreach (var (name, tensor) in fitted.Model.Network.CheckpointTensors())
        {
            using var difference = (tensor - loaded.Model.Network.get_parameter(name)!).abs().max();
            Assert.InRange(difference.item<float>(), 0, tolerance);
        }

        Assert.Equal(type, loaded.WeightType);
        loaded.Dispose();
        Assert.Throws<ObjectDisposedException>(() => loaded.Transform(data).GetColumn<string>("Continuation").ToList());
    }

    [Theory]
    [InlineData(DecodingPrecision.BFloat16, false)]
    [InlineData(DecodingPrecision.Int8, false)]
    [InlineData(DecodingPrecision.Int8, true)]
    [InlineData(DecodingPrecision.Int4, false)]
    [InlineData(DecodingPrecision.Int4, true)]
    public void Texts_are_generated_in_the_chosen_format_and_a_file_keeps_the_choice_but_float32_weights(
        DecodingPrecision precision, bool adapters)
    {
        CopyTinyModel(_folder["base"]);
        var (fitted, data) = Save("model.zip", 3, o =>
        {
            (o.DecodingPrecision, o.LogProbabilitiesColumnName) = (precision, "Scores");
            (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["base"], adapters ? new LoraOptions { Rank = 2 } : null, adapters);
        });
        using var loaded = (TextGeneratorTransformer)((IEnumerable<ITransformer>)_ml.Model.Load(_folder["model.zip"], out _)).Last();

        foreach (var transformer in (TextGeneratorTransformer[])[fitted, loaded])
        {
            Assert.Equal(precision, transformer.DecodingPrecision);
            var scores = transformer.Transform(data).GetColumn<float[]>("Scores").ToList();
            using var narrow = transformer.Model.ConvertTo(precision);
            Assert.Equal(Scores(narrow), scores);
            Assert.NotEqual(Scores(transformer.Model), scores);
            Assert.False(transformer.Model.Network.IsQuantized);
        }

        Assert.Equal(TransformerWeights.Bytes(fitted), TransformerWeights.Bytes(loaded));
        Assert.Equal(_ml.Generation.Evaluate(fitted, data), _ml.Generation.Evaluate(loaded, data));

        IEnumerable<float[]> Scores(TextGenerationModel model) =>
            model.Generate([.. TestData.Stories(3).Select(story => story.Opening!)], fitted.Generation)
                .Select(texts => texts[0].LogProbabilities.ToArray());
    }

    [Fact]
    public void A_model_that_is_quantized_itself_generates_and_is_not_saved()
    {
        using var model = TextGenerationModel.Load(TestData.TinyModel);
        WeightQuantization.Quantize(model.Network);
        var data = Data(2);
        var transformer = _ml.Transforms.Text.GenerateText(
            "Continuation", "Opening", model, new GenerateTextOptions { DecodingPrecision = DecodingPrecision.Int8 }).Fit(data);

        Assert.Equal(TestData.Stories(2).Select(story => model.Generate(story.Opening!, transformer.Generation)),
            transformer.Transform(data).GetColumn<string>("Continuation"));
        var exception = Assert.ThrowsAny<Exception>(() => _ml.Model.Save(transformer, data.Schema, _folder["model.zip"]));
        Assert.Contains("quantized to int8 and cannot be saved", exception.ToString(), StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => model.Save(_folder["folder"]));
        Assert.False(Directory.Exists(_folder["folder"]));
    }

    [Fact]
    public void The_parts_of_a_model_file_are_a_folder_in_Hugging_Face_layout()
    {
        var (fitted, _) = Save("model.zip", 3);
        using (var zip = ZipFile.OpenRead(_folder["model.zip"]))
        {
            Directory.CreateDirectory(_folder["unpacked"]);
            var parent = Path.GetDirectoryName(zip.Entries.Single(e => e.Name == "model.safetensors").FullName);
            foreach (var entry in zip.Entries.Where(e => Path.GetDirectoryName(e.FullName) == parent))
                entry.ExtractToFile(Path.Combine(_folder["unpacked"], entry.Name));
        }

        using var model = TextGenerationModel.Load(_folder["unpacked"]);

        Assert.Equal(fitted.Model.Generate("The old"), model.Generate("The old"));
    }

    [Fact]
    public void An_adapter_file_is_small_and_needs_its_base()
    {
        CopyTinyModel(_folder["base"]);
        var (fitted, data) = Save("adapter.zip", 3, o =>
        {
            (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["base"], new LoraOptions { Rank = 2 }, true);
            o.Training = o.Training with { KeepBestModel = false };
        });
        Save("whole.zip", 3, o => (o.PretrainedModel, o.Lora) = (_folder["base"], new LoraOptions { Rank = 2 }));
        Assert.True(new FileInfo(_folder["adapter.zip"]).Length * 10 < new FileInfo(_folder["whole.zip"]).Length);

        using var loaded = (TextGeneratorTransformer)((IEnumerable<ITransformer>)_ml.Model.Load(_folder["adapter.zip"], out _)).Last();
        Assert.Equal(fitted.Transform(data).GetColumn<string>("Continuation"), loaded.Transform(data).GetColumn<string>("Continuation"));
        _ml.Generation.SaveModelFolder(loaded, _folder["merged"]);
        using (var merged = TextGenerationModel.Load(_folder["merged"]))
        {
            Assert.Null(merged.Network.Lora);
            Assert.Equal(_ml.Generation.Evaluate(fitted, data).Loss, _ml.Generation.Evaluate(merged, data, "Text").Loss, 1e-5);
        }

        File.Copy(RepositoryFiles.Data("gpt2-tiny/training.final.safetensors"), _folder["base/model.safetensors"], overwrite: true);
        var other = LoadError("adapter.zip");
        Assert.Contains("SHA-256", other, StringComparison.Ordinal);
        Assert.Contains(_folder["base"], other, StringComparison.Ordinal);

        Directory.Delete(_folder["base"], recursive: true);
        var missing = LoadError("adapter.zip");
        Assert.Contains($"need the model '{_folder["base"]}'", missing, StringComparison.Ordinal);
        Assert.Contains(nameof(TextGeneratorOptions.SaveAdapterOnly), missing, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_a_newer_version_is_refused_with_both_versions()
    {
        Save("model.zip", 3);
        ReplaceInEntry("Model.key", bytes =>
        {
            var at = bytes.AsSpan().IndexOf("TEXTGENR"u8);
            if (at >= 0)
                BitConverter.TryWriteBytes(bytes.AsSpan(at + 8), ModelFileVersion.Current + 7);
        });

        var message = LoadError("model.zip");

        Assert.Contains("version 1.9", message, StringComparison.Ordinal);
        Assert.Contains("up to 1.2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flipped_bit_in_the_weights_is_found()
    {
        Save("model.zip", 3);
        var bytes = File.ReadAllBytes(_folder["model.zip"]);
        var start = bytes.AsSpan().IndexOf("{\"__metadata__\""u8);
        bytes[start + 100_000] ^= 1;
        File.WriteAllBytes(_folder["model.zip"], bytes);

        var message = LoadError("model.zip");

        Assert.Contains("model.safetensors", message, StringComparison.Ordinal);
        Assert.Contains("CRC-32", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_part_is_named()
    {
        foreach (var name in (string[])["model.safetensors", "config.json", "tokenizer.json"])
        {
            Save("model.zip", 3);
            using (var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update))
                zip.Entries.Single(e => e.Name == name).Delete();

            Assert.Contains(name, LoadError("model.zip"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Truncated_files_are_refused()
    {
        Save("model.zip", 3);
        var bytes = File.ReadAllBytes(_folder["model.zip"]);
        foreach (var length in (int[])[0, 1, 100, 5000, bytes.Length / 2, bytes.Length - 30, bytes.Length - 1])
        {
            File.WriteAllBytes(_folder["cut.zip"], bytes[..length]);
            Assert.NotEmpty(LoadError("cut.zip"));
        }
    }

    [Fact]
    public void A_changed_byte_is_either_found_or_changes_nothing()
    {
        var (fitted, data) = Save("model.zip", 3);
        var expected = fitted.Transform(data).GetColumn<string>("Continuation").ToList();
        var bytes = File.ReadAllBytes(_folder["model.zip"]);
        var random = new Random(7);
        for (var round = 0; round < 60; round++)
        {
            var changed = (byte[])bytes.Clone();
            // Half of the changes outside of the weights, which are most of the file.
            var position = round % 2 == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(6000);
            changed[position] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_folder["changed.zip"], changed);
            try
            {
                var loaded = _ml.Model.Load(_folder["changed.zip"], out _);
                Assert.Equal(expected, loaded.Transform(data).GetColumn<string>("Continuation"));
                (loaded as IDisposable)?.Dispose();
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                // refused
            }
        }
    }

    [Fact]
    public void Files_that_ML_NET_packed_itself_are_read_too()
    {
        // What a version of ML.NET would write whose archive cannot be reached: every entry compressed.
        var (fitted, data) = Save("model.zip", 3);
        using (var source = ZipFile.OpenRead(_folder["model.zip"]))
        using (var target = ZipFile.Open(_folder["packed.zip"], ZipArchiveMode.Create))
        {
            foreach (var entry in source.Entries)
            {
                using var from = entry.Open();
                using var to = target.CreateEntry(entry.FullName, CompressionLevel.SmallestSize).Open();
                from.CopyTo(to);
            }
        }

        var loaded = _ml.Model.Load(_folder["packed.zip"], out _);

        Assert.Equal(fitted.Transform(data).GetColumn<string>("Continuation"), loaded.Transform(data).GetColumn<string>("Continuation"));
    }

    private IDataView Data(int count) => _ml.Data.LoadFromEnumerable(TestData.Stories(count));

    private (TextGeneratorTransformer Fitted, IDataView Data) Save(string name, int rows, Action<TextGeneratorOptions>? change = null)
    {
        var data = Data(rows);
        var chain = _ml.Transforms.CopyColumns("Copy", "Number").Append(_ml.Transforms.Text.FineTuneTextGenerator(
            "Continuation", "Opening", "Text", TextGeneratorPipelineTests.Tiny(change))).Fit(data);
        _ml.Model.Save(chain, data.Schema, _folder[name]);
        return (chain.LastTransformer, data);
    }

    /// <summary>The message of the error that loading gives, or of its innermost cause: ML.NET wraps what a component throws.</summary>
    private string LoadError(string name) => Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder[name], out _)).ToString();

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

    private static void CopyTinyModel(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
            File.Copy(Path.Combine(TestData.TinyModel, name), Path.Combine(folder, name));
    }
}
