using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Every switch of <c>config.json</c> that published GPT-2 checkpoints use.</summary>
[Collection(ProcessWideState.Name)]
public class Gpt2ConfigurationTests
{
    [Fact]
    public void Attention_scores_can_be_left_unscaled() =>
        AssertEqualsFormulas(
            json => json["scale_attn_weights"] = false, weights => new(weights) { Activation = GeluTanh, ScaleByWidth = false });

    [Fact]
    public void Attention_scores_can_be_divided_by_the_layer_number() =>
        AssertEqualsFormulas(
            json => json["scale_attn_by_inverse_layer_idx"] = true, weights => new(weights) { Activation = GeluTanh, ScaleByLayer = true });

    [Fact]
    public void Reordered_and_upcast_attention_gives_the_same_numbers() =>
        AssertEqualsFormulas(
            json => { json["reorder_and_upcast_attn"] = true; json["scale_attn_by_inverse_layer_idx"] = true; },
            weights => new(weights) { Activation = GeluTanh, ScaleByLayer = true });

    [Fact]
    public void The_feed_forward_width_can_be_set() =>
        AssertEqualsFormulas(json => json["n_inner"] = 96, weights => new(weights) { Activation = GeluTanh });

    [Fact]
    public void The_layer_norm_epsilon_counts() =>
        AssertEqualsFormulas(json => json["layer_norm_epsilon"] = 0.05, weights => new(weights) { Activation = GeluTanh, Epsilon = 0.05 });

    [Fact]
    public void The_output_head_can_be_separate() =>
        AssertEqualsFormulas(
            json => json["tie_word_embeddings"] = false, weights => new(weights) { Activation = GeluTanh, Head = "lm_head.weight" });

    [Theory]
    [InlineData("gelu_new")]
    [InlineData("gelu_pytorch_tanh")]
    [InlineData("gelu")]
    [InlineData("relu")]
    [InlineData("silu")]
    [InlineData("tanh")]
    [InlineData("quick_gelu")]
    public void The_activation_function_can_be_chosen(string name) =>
        AssertEqualsFormulas(json => json["activation_function"] = name, weights => new(weights)
        {
            Activation = name switch
            {
                "gelu" => x => x * 0.5 * (1 + (x / Math.Sqrt(2)).erf()),
                "relu" => x => x.clamp_min(0),
                "silu" => x => x / (1 + (-x).exp()),
                "tanh" => x => (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()),
                "quick_gelu" => x => x / (1 + (-1.702 * x).exp()),
                _ => GeluTanh,
            },
        });

    [Theory]
    [InlineData("vocab_size", 0)]
    [InlineData("n_embd", -64)]
    [InlineData("n_head", 3)]
    [InlineData("n_layer", "two")]
    [InlineData("resid_pdrop", 1.5)]
    public void A_broken_configuration_is_refused_with_the_entrys_name(string entry, object value)
    {
        var json = Configuration();
        json[entry] = JsonValue.Create(value);
        var exception = Assert.Throws<InvalidDataException>(() => CausalLanguageModel.Create(json));
        Assert.Contains(entry, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_architecture_is_refused_with_the_supported_ones()
    {
        var json = Configuration();
        json["model_type"] = "gpt17";
        var exception = Assert.Throws<NotSupportedException>(() => CausalLanguageModel.Create(json));
        Assert.Contains("gpt17", exception.Message, StringComparison.Ordinal);
        Assert.Contains("gpt2", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_activation_function_is_refused_with_its_name()
    {
        var json = Configuration();
        json["activation_function"] = "xielu";
        Assert.Contains(
            "xielu", Assert.Throws<NotSupportedException>(() => CausalLanguageModel.Create(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout_works_in_training_only()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        var input = new ModelInput(arange(10).unsqueeze(0));
        model.eval();
        var plain = model.Forward(input);
        model.Dropout = new DropoutProbabilities(0.2, 0.2, 0.2);
        Assert.True(model.Forward(input).equal(plain).all().item<bool>());
        model.train();
        Assert.False(model.Forward(input).equal(plain).all().item<bool>());
    }

    private static Tensor GeluTanh(Tensor x) => 0.5 * x * (1 + (Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x.pow(3))).tanh());

    private static JsonObject Configuration() =>
        JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("gpt2-tiny/config.json")))!.AsObject();

    private static void AssertEqualsFormulas(Action<JsonObject> change, Func<Checkpoint, Gpt2FromTheFormulas> formulas)
    {
        var json = Configuration();
        change(json);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        manual_seed(7);
        using var model = CausalLanguageModel.Create(json);
        foreach (var parameter in model.parameters())
            parameter.add_(randn_like(parameter), alpha: 0.1); // biases and norms that are not at their start
        model.eval();
        using var folder = new TemporaryFolder();
        model.Save(folder.Path);
        using var weights = Checkpoint.Open(folder.Path);
        var ids = randint(0, model.VocabularySize, 24, dtype: ScalarType.Int64);
        var expected = formulas(weights).Logits(ids);
        var logits = model.Forward(new ModelInput(ids.unsqueeze(0)))[0].to(ScalarType.Float64);
        var difference = (logits - expected).abs().max().item<double>();
        Assert.True(difference < 1e-4, $"worst difference {difference}");

        // And again through the key-value cache, in two parts.
        using var cache = model.CreateCache(1, 24);
        var first = model.Forward(new ModelInput(ids.narrow(0, 0, 15).unsqueeze(0)) { PastKeyValues = cache });
        var second = model.Forward(new ModelInput(ids.narrow(0, 15, 9).unsqueeze(0)) { PastKeyValues = cache });
        var cached = (cat([first, second], 1)[0].to(ScalarType.Float64) - expected).abs().max().item<double>();
        Assert.True(cached < 1e-4, $"worst difference with a cache {cached}");

        using var loaded = CausalLanguageModel.Load(folder.Path);
        loaded.eval();
        Assert.True(
            loaded.Forward(new ModelInput(ids.unsqueeze(0))).equal(model.Forward(new ModelInput(ids.unsqueeze(0)))).all().item<bool>());
    }
}
