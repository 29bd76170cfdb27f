using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Layers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Adaptation;

public sealed class LowRankAdaptationTests : IDisposable
{
    private readonly CausalLanguageModel _model = TinyRun.LoadModel();

    public LowRankAdaptationTests() => _model.eval();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("c_attn")]
    [InlineData("all-linear")]
    public void New_adapters_change_no_logit(string target)
    {
        var before = Logits.Of(_model);
        LowRankAdaptation.Attach(_model, new LoraOptions { TargetModules = [target] });
        Assert.Equal(before, Logits.Of(_model));
    }

    [Fact]
    public void Targets_are_matched_by_the_last_parts_of_the_name()
    {
        Assert.Equal(
            ["transformer.h.0.attn.c_proj", "transformer.h.0.mlp.c_proj", "transformer.h.1.attn.c_proj", "transformer.h.1.mlp.c_proj"],
            Adapted("c_proj"));
        Assert.Equal(["transformer.h.0.mlp.c_proj", "transformer.h.1.mlp.c_proj"], Adapted("mlp.c_proj"));
        Assert.Equal(["transformer.h.1.attn.c_attn", "transformer.h.1.mlp.c_fc"], Adapted("h.1.attn.c_attn", "h.1.mlp.c_fc"));
        Assert.Equal(8, Adapted("all-linear").Length);

        string[] Adapted(params string[] targets)
        {
            LowRankAdaptation.Attach(_model, new LoraOptions { TargetModules = targets });
            string[] names = [.. _model.AdaptedLayers().Select(layer => layer.Name).Order(StringComparer.Ordinal)];
            LowRankAdaptation.Merge(_model);
            return names;
        }
    }

    [Fact]
    public void Only_adapters_get_gradients_and_training_leaves_the_base_weights_as_they_are_to_the_bit()
    {
        LowRankAdaptation.Attach(_model, new LoraOptions { Rank = 4, TargetModules = ["c_attn", "c_fc"] });
        var before = WeightBytes.Of(_model);
        Assert.Equal(8, _model.TrainableParameters().Count());
        Assert.All(_model.TrainableParameters(), parameter => Assert.Contains(".lora_", parameter.Name));

        var gradients = -1;
        new LanguageModelTrainer(
            _model, new LanguageTrainingOptions { MaximumSteps = 3, LearningRate = 1e-3, WeightDecay = 0.1 }, TinyRun.Rows).Train(
            new ProgressCallback(_ => gradients = _model.parameters().Count(parameter => parameter.grad is not null)),
            TestContext.Current.CancellationToken);
        Assert.Equal(0, gradients);

        var after = WeightBytes.Of(_model);
        foreach (var (name, bytes) in before)
            Assert.Equal(!name.Contains(".lora_", StringComparison.Ordinal), bytes.AsSpan().SequenceEqual(after[name]));
    }

    [Fact]
    public void Merged_adapters_give_the_same_logits()
    {
        PeftAdapterFolder.Load(_model, RepositoryFiles.Data("gpt2-tiny/lora_end"));
        var adapted = Logits.Of(_model);
        LowRankAdaptation.Merge(_model);
        Logits.AssertClose(adapted, Logits.Of(_model), 1e-5);
        Assert.Null(_model.Lora);
        Assert.Empty(_model.AdaptedLayers());
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_merged_model_takes_new_adapters()
    {
        PeftAdapterFolder.Load(_model, RepositoryFiles.Data("gpt2-tiny/lora_end"));
        LowRankAdaptation.Merge(_model);
        var merged = Logits.Of(_model);
        LowRankAdaptation.Attach(_model, new LoraOptions());
        Assert.Equal(merged, Logits.Of(_model));
    }

    [Fact]
    public void Adapters_have_the_scale_of_their_kind()
    {
        Assert.Equal(2, new LoraOptions { Rank = 8, Alpha = 16 }.ScaleOf("any"));
        Assert.Equal(4, new LoraOptions { Rank = 16, Alpha = 16, RankStabilized = true }.ScaleOf("any"));

        // The update that ends up in the weight, [input, output] in GPT-2.
        foreach (var stabilized in (bool[])[false, true])
        {
            using var scope = NewDisposeScope();
            using var model = TinyRun.LoadModel();
            var weight = model.get_parameter("transformer.h.0.attn.c_attn.weight")!;
            var before = weight.detach().clone();
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 4, Alpha = 6, RankStabilized = stabilized });
            var adapter = model.AdaptedLayers().First().Layer.Adapter!;
            using (no_grad())
                adapter.B.copy_(adapter.A.t().repeat(3, 1)); // [192, 4]; anything but zero
            var expected = mm(adapter.B, adapter.A).t() * (stabilized ? 3 : 1.5);
            LowRankAdaptation.Merge(model);
            Assert.True((weight - before - expected).abs().max().item<float>() < 1e-5);
            Assert.True(expected.abs().max().item<float>() > 1e-3);
        }
    }

    [Fact]
    public void Adapter_dropout_acts_in_training_alone()
    {
        LowRankAdaptation.Attach(_model, new LoraOptions { Dropout = 0.5 });
        using (no_grad())
        using (NewDisposeScope())
        {
            foreach (var (_, parameter) in _model.AdapterParameters())
                parameter.fill_(0.1);
        }

        var evaluated = Logits.Of(_model);
        Assert.Equal(evaluated, Logits.Of(_model));
        _model.train();
        Assert.NotEqual(evaluated, Logits.Of(_model));
        _model.eval();
        Assert.Equal(evaluated, Logits.Of(_model));
    }

    public static TheoryData<string, LoraOptions> UnusableOptions => new()
    {
        { "'q_proj' matches no linear layer of the model. Its layers are named c_attn, c_proj, c_fc",
            new() { TargetModules = ["c_attn", "q_proj"] } },
        { "'attn' matches no linear layer", new() { TargetModules = ["attn"] } },
        { "TargetModules names no layer", new() { TargetModules = [] } },
        { "Rank must be from 1", new() { Rank = 0 } },
        { "Alpha must be positive", new() { Alpha = double.NaN } },
        { "Dropout must be from 0 to less than 1", new() { Dropout = 1 } },
    };

    [Theory]
    [MemberData(nameof(UnusableOptions), DisableDiscoveryEnumeration = true)]
    public void Unusable_options_are_refused_and_change_nothing(string message, LoraOptions options)
    {
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => LowRankAdaptation.Attach(_model, options)).Message);
        Assert.Null(_model.Lora);
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_second_set_of_adapters_is_refused()
    {
        LowRankAdaptation.Attach(_model, new LoraOptions());
        Assert.Contains(
            "adapters already", Assert.Throws<ArgumentException>(() => LowRankAdaptation.Attach(_model, new LoraOptions())).Message);
        Assert.Contains("adapters already", Assert.Throws<ArgumentException>(
            () => PeftAdapterFolder.Load(_model, RepositoryFiles.Data("gpt2-tiny/lora_end"))).Message);
    }
}
