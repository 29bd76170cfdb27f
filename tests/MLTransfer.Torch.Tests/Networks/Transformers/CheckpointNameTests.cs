using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>What a checkpoint may look like, and what a saved one does look like.</summary>
public sealed class CheckpointNameTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gpt2-tiny", 0)]
    [InlineData("gpt2-tiny/sharded", 0)]
    [InlineData("gpt2-tiny/fp16", 5e-2)]
    [InlineData("gpt2-tiny/bf16", 0.5)]
    public void Every_form_of_the_same_checkpoint_gives_the_same_logits(string form, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var reference = SafetensorsFile.Open(RepositoryFiles.Data("gpt2-tiny/forward.safetensors"));
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data(form));
        model.eval();
        var difference = (model.Forward(new ModelInput(reference.Read("input_ids"))) - reference.Read("logits")).abs().max().item<float>();
        Assert.True(difference < 1e-4 + tolerance, $"worst difference {difference}");
    }

    [Fact]
    public void A_pickled_checkpoint_gives_the_same_logits()
    {
        File.Copy(RepositoryFiles.Data("gpt2-tiny/config.json"), _folder["config.json"]);
        File.Copy(RepositoryFiles.Data("gpt2-tiny/pytorch_model.bin"), _folder["pytorch_model.bin"]);
        AssertSameLogits();
    }

    [Fact]
    public void Names_without_the_base_models_prefix_are_found()
    {
        File.Copy(RepositoryFiles.Data("gpt2-tiny/config.json"), _folder["config.json"]);
        using (var checkpoint = Checkpoint.Open(RepositoryFiles.Data("gpt2-tiny")))
        {
            var tensors = checkpoint.Tensors.Keys.Select(name => KeyValuePair.Create(name["transformer.".Length..], checkpoint.Read(name)))
                .ToList();
            SafetensorsWriter.Write(_folder["model.safetensors"], tensors);
            tensors.ForEach(tensor => tensor.Value.Dispose());
        }

        AssertSameLogits();
    }

    [Fact]
    public void A_saved_checkpoint_has_the_bytes_of_the_one_that_was_loaded()
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        model.Save(_folder.Path);
        Assert.Equal(
            File.ReadAllBytes(RepositoryFiles.Data("gpt2-tiny/model.safetensors")), File.ReadAllBytes(_folder["model.safetensors"]));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("gpt2-tiny/config.json"))),
            JsonNode.Parse(File.ReadAllText(_folder["config.json"]))));
    }

    [Theory]
    [InlineData("fp16", ScalarType.Float16)]
    [InlineData("bf16", ScalarType.BFloat16)]
    public void A_checkpoint_saved_in_half_precision_has_the_bytes_of_the_reference(string form, ScalarType type)
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        model.Save(_folder.Path, type);
        Assert.Equal(
            File.ReadAllBytes(RepositoryFiles.Data($"gpt2-tiny/{form}/model.safetensors")),
            File.ReadAllBytes(_folder["model.safetensors"]));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data($"gpt2-tiny/{form}/config.json"))),
            JsonNode.Parse(File.ReadAllText(_folder["config.json"]))));
    }

    [Fact]
    public void A_tensor_of_another_shape_is_refused_with_its_name_and_both_shapes()
    {
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("gpt2-tiny/config.json")))!;
        json["vocab_size"] = 701;
        File.WriteAllText(_folder["config.json"], json.ToJsonString());
        File.Copy(RepositoryFiles.Data("gpt2-tiny/model.safetensors"), _folder["model.safetensors"]);
        var message = Assert.Throws<InvalidDataException>(() => CausalLanguageModel.Load(_folder.Path)).Message;
        Assert.Contains("transformer.wte.weight", message, StringComparison.Ordinal);
        Assert.Contains("[700, 64]", message, StringComparison.Ordinal);
        Assert.Contains("[701, 64]", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("gpt2-tiny/config.json")))!;
        json["n_layer"] = 3;
        File.WriteAllText(_folder["config.json"], json.ToJsonString());
        File.Copy(RepositoryFiles.Data("gpt2-tiny/model.safetensors"), _folder["model.safetensors"]);
        var message = Assert.Throws<InvalidDataException>(() => CausalLanguageModel.Load(_folder.Path)).Message;
        Assert.Contains("transformer.h.2.ln_1.weight", message, StringComparison.Ordinal);
    }

    private void AssertSameLogits()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var expected = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        using var model = CausalLanguageModel.Load(_folder.Path);
        expected.eval();
        model.eval();
        var input = new ModelInput(arange(20).unsqueeze(0));
        Assert.True((model.Forward(input) - expected.Forward(input)).abs().max().item<float>() < 1e-6);
    }
}
