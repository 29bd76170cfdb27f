using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Text;

/// <summary>Frozen weights of a base in bfloat16 or float16 stay in that type, and give what widened ones give.</summary>
public sealed class FrozenTypeTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;

    public FrozenTypeTests() => _data = _ml.Data.LoadFromEnumerable(TestData.Stories(6));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Adapters_on_a_narrow_base_give_the_model_of_the_widened_base_without_widening_it(ScalarType type)
    {
        MakeFolders(type);

        using var narrow = Fit("narrow", o => o.Lora = new LoraOptions { Rank = 2 });
        using var wide = Fit("wide", o => o.Lora = new LoraOptions { Rank = 2 });

        Assert.Equal(type, narrow.Model.Network.TokenEmbedding.dtype);
        Assert.Equal(ScalarType.Float32, wide.Model.Network.TokenEmbedding.dtype);
        Assert.Equal(ScalarType.Float32, narrow.Model.Network.DataType);
        Assert.Equal(Texts(wide), Texts(narrow));
        Assert.Equal(
            _ml.Generation.Evaluate(wide, _data).Loss, _ml.Generation.Evaluate(narrow, _data).Loss, 1e-5);

        // The zip and the folder have the bits that those of the widened model have.
        _ml.Generation.SaveModelFolder(narrow, _folder["narrow-saved"]);
        _ml.Generation.SaveModelFolder(wide, _folder["wide-saved"]);
        Assert.Equal(
            File.ReadAllBytes(_folder["wide-saved/model.safetensors"]), File.ReadAllBytes(_folder["narrow-saved/model.safetensors"]));
        _ml.Model.Save(narrow, _data.Schema, _folder["narrow.zip"]);
        using var loaded = (TextGeneratorTransformer)_ml.Model.Load(_folder["narrow.zip"], out _);
        Assert.Equal(Texts(wide), Texts(loaded));
    }

    [Fact]
    public void Blocks_that_are_frozen_stay_narrow_and_those_that_are_trained_are_float32()
    {
        MakeFolders(ScalarType.BFloat16);

        using var narrow = Fit("narrow", o => o.TrainableBlocks = 1);
        using var wide = Fit("wide", o => o.TrainableBlocks = 1);

        var types = narrow.Model.Network.named_parameters().ToDictionary(p => p.name, p => p.parameter.dtype);
        Assert.Equal(ScalarType.BFloat16, types["transformer.h.0.attn.c_attn.weight"]);
        Assert.Equal(ScalarType.Float32, types["transformer.h.1.attn.c_attn.weight"]);
        using var gradients = no_grad();
        Assert.All(wide.Model.Network.CheckpointTensors().Zip(narrow.Model.Network.CheckpointTensors()), pair =>
            Assert.True(pair.First.Value.equal(pair.Second.Value.to(ScalarType.Float32)).all().item<bool>(), pair.First.Key));
    }

    [Theory]
    [InlineData(DecodingPrecision.BFloat16)]
    [InlineData(DecodingPrecision.Int8)]
    [InlineData(DecodingPrecision.Int4)]
    public void The_tuned_model_generates_in_every_precision_and_is_trained_on(DecodingPrecision precision)
    {
        MakeFolders(ScalarType.BFloat16);
        using var narrow = Fit("narrow", o => (o.Lora, o.DecodingPrecision) = (new LoraOptions { Rank = 2 }, precision));
        using var wide = Fit("wide", o => (o.Lora, o.DecodingPrecision) = (new LoraOptions { Rank = 2 }, precision));
        Assert.Equal(Texts(wide), Texts(narrow));

        using var onNarrow = Fit(null, o => (o.Lora, o.BaseModel) = (new LoraOptions { Rank = 2 }, narrow));
        using var onWide = Fit(null, o => (o.Lora, o.BaseModel) = (new LoraOptions { Rank = 2 }, wide));
        Assert.Equal(ScalarType.BFloat16, onNarrow.Model.Network.TokenEmbedding.dtype);
        Assert.Equal(Texts(onWide), Texts(onNarrow));
    }

    [Fact]
    public void In_float32_without_gradient_checkpointing_the_base_is_widened_once()
    {
        MakeFolders(ScalarType.BFloat16);
        using var model = Fit("narrow", o =>
        {
            o.Lora = new LoraOptions { Rank = 2 };
            o.Training = o.Training with { Precision = Precision.Float32 };
        });
        Assert.Equal(ScalarType.Float32, model.Model.Network.TokenEmbedding.dtype);
    }

    [Fact]
    public void The_estimate_of_adapters_on_a_narrow_base_is_of_narrow_weights()
    {
        MakeFolders(ScalarType.BFloat16);
        var lora = new LoraOptions { Rank = 2 };
        var (narrow, wide) = (Weights("narrow", lora), Weights("wide", lora));
        Assert.InRange((double)narrow / wide, 0.3, 0.6);
        Assert.Equal(Weights("wide", null), Weights("narrow", null)); // all of them are trained

        long Weights(string folder, LoraOptions? adapters) =>
            _ml.Generation.EstimateMemory(Options(folder, o =>
            {
                o.Lora = adapters;
                o.Training = o.Training with { Precision = Precision.Float32, GradientCheckpointing = true };
            })).Weights;
    }

    /// <summary>The same weights in a narrow type, and widened again.</summary>
    private void MakeFolders(ScalarType type)
    {
        foreach (var name in (string[])["narrow", "wide"])
        {
            Directory.CreateDirectory(_folder[name]);
            foreach (var file in (string[])["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
                File.Copy(Path.Combine(TestData.TinyModel, file), _folder[$"{name}/{file}"]);
        }

        using var model = CausalLanguageModel.Load(TestData.TinyModel);
        model.Save(_folder["narrow"], type);
        using var rounded = CausalLanguageModel.Load(_folder["narrow"]);
        rounded.Save(_folder["wide"]);
    }

    private TextGeneratorTransformer Fit(string? folder, Action<TextGeneratorOptions> change) =>
        _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", Options(folder, change)).Fit(_data);

    private TextGeneratorOptions Options(string? folder, Action<TextGeneratorOptions> change)
    {
        var options = new TextGeneratorOptions
        {
            Training = new() { MaximumSteps = 3, BatchSize = 2, LearningRate = 1e-2, Precision = Precision.BFloat16 },
            MaximumLength = 24,
            Generation = new() { MaximumNewTokens = 8 },
        };
        if (folder is not null)
            options.PretrainedModel = _folder[folder];
        change(options);
        return options;
    }

    private List<string> Texts(TextGeneratorTransformer transformer) => [.. transformer.Transform(_data).GetColumn<string>("Continuation")];
}
