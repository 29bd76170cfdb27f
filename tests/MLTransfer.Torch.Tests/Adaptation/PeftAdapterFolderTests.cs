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
        LowRankAdaptation.Attach(
            _model, new LoraOptions { Rank = 3, Alpha = 5.5, Dropout = 0.25, RankStabilized = true, TargetModules = ["all-linear"] });
        PeftAdapterFolder.Save(_model, _folder.Path);
        Assert.Equal("all-linear", (string?)Configuration(_folder.Path)["target_modules"]);
        using var loaded = TinyRun.LoadModel();
        PeftAdapterFolder.Load(loaded, _folder.Path);
        var lora = loaded.Lora!;
        Assert.Equal((3, 5.5, 0.25, true), (lora.Rank, lora.Alpha, lora.Dropout, lora.RankStabilized));
        Assert.Equal(["all-linear"], lora.TargetModules);
    }

    [Theory]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("bias", "\"all\"")]
    [InlineData("use_dora", "true")]
    [InlineData("lora_bias", "true")]
    [InlineData("rank_pattern", "{\"c_attn\": 2}")]
    [InlineData("alpha_pattern", "{\"c_attn\": 2}")]
    [InlineData("modules_to_save", "[\"wte\"]")]
    [InlineData("layers_to_transform", "[0]")]
    [InlineData("layer_replication", "[[0, 1]]")]
    [InlineData("exclude_modules", "[\"c_fc\"]")]
    [InlineData("trainable_token_indices", "[5]")]
    [InlineData("alora_invocation_tokens", "[5]")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("init_lora_weights", "\"olora\"")]
    public void A_setting_that_is_not_supported_is_named(string name, string value) =>
        AssertRefused<NotSupportedException>(json => json[name] = JsonNode.Parse(value), name, JsonNode.Parse(value)!.ToJsonString());

    [Theory]
    [InlineData("r", "0", "Rank")]
    [InlineData("r", "\"four\"", "malformed")]
    [InlineData("r", "8", "has shape [4, 64]; expected [8, 64]")]
    [InlineData("r", null, "no entry 'r'")]
    [InlineData("lora_alpha", null, "no entry 'lora_alpha'")]
    [InlineData("lora_alpha", "-1", "Alpha")]
    [InlineData("lora_dropout", "1.5", "Dropout")]
    [InlineData("target_modules", null, "no entry 'target_modules'")]
    [InlineData("target_modules", "[]", "TargetModules")]
    [InlineData("target_modules", "[null]", "malformed")]
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
