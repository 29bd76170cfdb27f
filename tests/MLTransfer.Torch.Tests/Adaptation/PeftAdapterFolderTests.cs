using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Layers;
using MLTransfer.Torch.Tests.Training;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Adaptation;

public sealed class PeftAdapterFolderTests : IDisposable
{
    private static readonly string s_reference = RepositoryFiles.Data("gpt2-tiny/lora_end");

    private readonly CausalLanguageModel _model = TinyRun.LoadModel();
    private readonly TemporaryFolder _folder = new();

    public PeftAdapterFolderTests() => _model.eval();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_trained_adapter_changes_the_logits_and_is_the_same_after_saving_and_loading()
    {
        var plain = Logits.Of(_model);
        PeftAdapterFolder.Load(_model, s_reference);
        var adapted = Logits.Of(_model);
        Assert.True(plain.Zip(adapted, (a, b) => Math.Abs(a - b)).Max() > 0.01);

        PeftAdapterFolder.Save(_model, _folder.Path, "gpt2-tiny");
        using var loaded = TinyRun.LoadModel();
        loaded.eval();
        PeftAdapterFolder.Load(loaded, _folder.Path);
        Assert.Equal(adapted, Logits.Of(loaded));
        WeightBytes.AssertEqual(WeightBytes.Of(_model), loaded);
    }

    [Fact]
    public void A_saved_folder_has_the_weights_file_and_the_settings_of_peft()
    {
        PeftAdapterFolder.Load(_model, s_reference);
        PeftAdapterFolder.Save(_model, _folder.Path, "gpt2-tiny");
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(s_reference, "adapter_model.safetensors")),
            File.ReadAllBytes(_folder["adapter_model.safetensors"]));
        var (expected, saved) = (Configuration(s_reference), Configuration(_folder.Path));
        foreach (var (name, value) in saved)
            Assert.True(JsonNode.DeepEquals(expected[name], value), $"{name} is {value}");
        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void All_settings_come_back()
    {
        LowRankAdaptation.Attach(_model, new LoraOptions
        {
            Rank = 3, Alpha = 5.5, Dropout = 0.25, RankStabilized = true, WeightDecomposed = true, TargetModules = ["all-linear"],
            ExcludedModules = ["c_fc"], Blocks = [1], RankPattern = new Dictionary<string, int> { ["c_attn"] = 2 },
            AlphaPattern = new Dictionary<string, double> { [@"h\.1\.mlp\.c_proj"] = 7 }, TrainedModules = ["ln_f"],
        });
        PeftAdapterFolder.Save(_model, _folder.Path);
        Assert.Equal("all-linear", (string?)Configuration(_folder.Path)["target_modules"]);
        using var loaded = TinyRun.LoadModel();
        PeftAdapterFolder.Load(loaded, _folder.Path);
        Assert.Equivalent(_model.Lora, loaded.Lora, strict: true);
        Assert.Equal(
            ["transformer.h.1.attn.c_attn", "transformer.h.1.attn.c_proj", "transformer.h.1.mlp.c_proj"],
            loaded.AdaptedLayers().Select(layer => layer.Name));
        Assert.Equal([2, 3, 3], loaded.AdaptedLayers().Select(layer => layer.Layer.Adapter!.A.shape[0]));
        Assert.Equal(7 / Math.Sqrt(3), loaded.AdaptedLayers().Last().Layer.Adapter!.Scale);
        WeightBytes.AssertEqual(WeightBytes.Of(_model), loaded);
        Assert.Equal(
            ["transformer.ln_f.bias", "transformer.ln_f.weight"],
            loaded.named_parameters().Where(p => p.parameter.requires_grad).Select(p => p.name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_text_of_target_modules_is_a_pattern_for_whole_names()
    {
        var options = new LoraOptions { TargetPattern = @".*\.h\.0\.(attn|mlp)\.c_proj" };
        LowRankAdaptation.Attach(_model, options);
        PeftAdapterFolder.Save(_model, _folder.Path);
        Assert.Equal(options.TargetPattern, (string?)Configuration(_folder.Path)["target_modules"]);
        using var loaded = TinyRun.LoadModel();
        PeftAdapterFolder.Load(loaded, _folder.Path);
        Assert.Equal(
            ["transformer.h.0.attn.c_proj", "transformer.h.0.mlp.c_proj"], loaded.AdaptedLayers().Select(layer => layer.Name));
    }

    [Fact]
    public void A_weight_decomposed_adapter_computes_the_same_merged_as_apart()
    {
        LowRankAdaptation.Attach(_model, new LoraOptions { WeightDecomposed = true, TargetModules = ["all-linear"] }, seed: 1);
        var plain = Logits.Of(_model); // B is 0 and the lengths are the weight's: nothing is changed yet
        using (no_grad())
        {
            foreach (var (_, layer) in _model.AdaptedLayers())
            {
                layer.Adapter!.B.normal_(0, 0.1);
                layer.Adapter.Magnitude!.mul_(1.25);
            }
        }

        var adapted = Logits.Of(_model);
        Assert.True(plain.Zip(adapted, (a, b) => Math.Abs(a - b)).Max() > 0.01);
        LowRankAdaptation.Merge(_model);
        Assert.All(adapted.Zip(Logits.Of(_model)), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    [Theory]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("bias", "\"all\"")]
    [InlineData("lora_bias", "true")]
    [InlineData("exclude_modules", "\".*c_fc\"")]
    [InlineData("residual_gain", "0.5")] // an entry that nobody knows
    [InlineData("layer_replication", "[[0, 1]]")]
    [InlineData("alora_invocation_tokens", "[5]")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("init_lora_weights", "\"olora\"")]
    public void A_setting_that_is_not_supported_is_named(string name, string value) =>
        AssertRefused<NotSupportedException>(json => json[name] = JsonNode.Parse(value), name, JsonNode.Parse(value)!.ToJsonString());

    [Theory]
    [InlineData("r", "0", "r is 0")]
    [InlineData("rank_pattern", "{\"c_attn\": 2}", "has shape [4, 64]; expected [2, 64]")]
    [InlineData("rank_pattern", "{\"(\": 2}", "pattern")]
    [InlineData("layers_to_transform", "[0]", "has the tensor 'base_model.model.transformer.h.1.attn.c_attn.lora_A.weight'")]
    [InlineData("use_dora", "true", "has no tensor 'base_model.model.transformer.h.0.attn.c_attn.lora_magnitude_vector'")]
    [InlineData("modules_to_save", "[\"wte\"]", "is shared by two modules")]
    [InlineData("modules_to_save", "[\"score\"]", "names 'score'")]
    [InlineData("exclude_modules", "[\"c_attn\"]", "put on no layer")]
    [InlineData("r", "\"four\"", "expected a whole number")]
    [InlineData("r", "8", "has shape [4, 64]; expected [8, 64]")]
    [InlineData("r", null, "no entry 'r'")]
    [InlineData("lora_alpha", null, "no entry 'lora_alpha'")]
    [InlineData("lora_alpha", "-1", "Alpha")]
    [InlineData("lora_dropout", "1.5", "Dropout")]
    [InlineData("target_modules", null, "no entry 'target_modules'")]
    [InlineData("target_modules", "[]", "TargetModules")]
    [InlineData("target_modules", "[null]", "expected a list of texts")]
    [InlineData("target_modules", "[\"q_proj\"]", "'q_proj' matches no linear layer")]
    [InlineData("target_modules", "[\"c_fc\"]", "has no tensor 'base_model.model.transformer.h.0.mlp.c_fc.lora_A.weight'")]
    [InlineData("target_modules", "[\"h.0.attn.c_attn\"]", "has the tensor 'base_model.model.transformer.h.1.attn.c_attn.lora_A.weight'")]
    public void A_setting_that_is_wrong_is_named(string name, string? value, string message) =>
        AssertRefused<InvalidDataException>(
            json =>
            {
                if (value is null)
                    json.Remove(name);
                else
                    json[name] = JsonNode.Parse(value);
            },
            _folder.Path, message);

    [Fact]
    public void An_adapter_of_a_wider_model_is_refused_with_the_tensor_and_both_shapes()
    {
        var weights = Enumerable.Range(0, 2).SelectMany(layer => (KeyValuePair<string, Tensor>[])[
            new($"base_model.model.transformer.h.{layer}.attn.c_attn.lora_A.weight", zeros(4, 128)),
            new($"base_model.model.transformer.h.{layer}.attn.c_attn.lora_B.weight", zeros(384, 4))]);
        SafetensorsWriter.Write(_folder["adapter_model.safetensors"], weights);
        AssertRefused<InvalidDataException>(_ => { }, "transformer.h.0.attn.c_attn.lora_A.weight", "has shape [4, 128]; expected [4, 64]");
    }

    [Fact]
    public void A_folder_without_adapters_is_refused() =>
        Assert.Contains(
            "adapter_config.json", Assert.Throws<FileNotFoundException>(() => PeftAdapterFolder.Load(_model, _folder.Path)).Message);

    [Fact]
    public void A_configuration_that_is_not_JSON_is_refused_by_name()
    {
        File.WriteAllText(_folder["adapter_config.json"], "{\"r\": ");
        Assert.Contains(_folder["adapter_config.json"],
            Assert.Throws<InvalidDataException>(() => PeftAdapterFolder.Load(_model, _folder.Path)).Message);
    }

    [Fact]
    public void A_model_without_adapters_has_none_to_save() =>
        Assert.Throws<InvalidOperationException>(() => PeftAdapterFolder.Save(_model, _folder.Path));

    private void AssertRefused<TException>(Action<JsonObject> change, params string[] messages) where TException : Exception
    {
        var json = Configuration(s_reference);
        change(json);
        File.WriteAllText(_folder["adapter_config.json"], json.ToJsonString());
        if (!File.Exists(_folder["adapter_model.safetensors"]))
            File.Copy(Path.Combine(s_reference, "adapter_model.safetensors"), _folder["adapter_model.safetensors"]);
        var error = Assert.Throws<TException>(() => PeftAdapterFolder.Load(_model, _folder.Path));
        Assert.All(messages, message => Assert.Contains(message, error.Message));
        Assert.Null(_model.Lora);
        Assert.Empty(_model.AdaptedLayers());
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    private static JsonObject Configuration(string folder) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!.AsObject();
}
