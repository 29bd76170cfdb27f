using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Dalle;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>What files may look like, and what is refused.</summary>
public class DalleFileTests
{
    [Theory]
    [InlineData("""{ "hparams": { "attn_types": ["full", "sparse"] } }""", "'sparse'")]
    [InlineData("""{ "hparams": { "attn_types": ["mlp"] } }""", "'mlp'")]
    [InlineData("""{ "hparams": { "attn_types": [] } }""", "attn_types")]
    [InlineData("""{ "hparams": { "sparse_attn": true } }""", "sparse_attn")]
    [InlineData("""{ "hparams": { "temperature_of_heads": 2 } }""", "temperature_of_heads")]
    [InlineData("""{ "hparams": { "loss_img_weight": -1 } }""", "loss_img_weight")]
    [InlineData("""{ "hparams": { "shared_attn_ids": [0, 0] } }""", "shared_attn_ids")]
    [InlineData("""{ "hparams": { "text_seq_len": 20000 } }""", "text_seq_len")]
    [InlineData("""{ "hparams": { "ff_dropout": 1 } }""", "ff_dropout")]
    [InlineData("""{ "hparams": { "dim": 33 } }""", "33")]
    [InlineData("""{ "hparams": { "sandwich_norm": true } }""", "norm_out")]
    [InlineData("""{ "hparams": { "depth": 3 } }""", "transformer.layers.layers.3")]
    [InlineData("""{ "scheduler": "cosine" }""", "scheduler")]
    [InlineData("""{ "vae_params": null }""", "vae_params")]
    [InlineData("""{ "vae_class_name": "VQGanVAE" }""", "codecFolder")]
    [InlineData("""{ "vae_params": { "dalle": true } }""", "dalle")]
    public void What_cannot_be_computed_is_refused_by_name(string changes, string named)
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(TinyDalle.FolderOf(TinyDalle.Plain), "model.safetensors"), folder["model.safetensors"]);
        var configuration = TinyDalle.Json(TinyDalle.Plain, "config.json");
        foreach (var (key, value) in JsonNode.Parse(changes)!.AsObject())
        {
            if (value is JsonObject entries)
            {
                foreach (var (entry, changed) in entries)
                    configuration[key]![entry] = changed?.DeepClone();
            }
            else
            {
                configuration[key] = value?.DeepClone();
            }
        }

        File.WriteAllText(folder["config.json"], configuration.ToJsonString());
        var error = Assert.ThrowsAny<Exception>(() => DalleModel.Load(folder.Path));
        Assert.True(error is InvalidDataException or NotSupportedException, error.ToString());
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_that_are_missing_have_the_packages_defaults()
    {
        var codec = new JsonObject { ["image_size"] = 8, ["num_layers"] = 2, ["num_tokens"] = 5, ["codebook_dim"] = 4, ["hidden_dim"] = 4 };
        var configuration = DalleModel.Configure(codec, textVocabulary: 3, textLength: 2, width: 4, depth: 1);
        configuration["hparams"] = new JsonObject { ["dim"] = 4, ["depth"] = 2 };
        configuration.Remove("vae_class_name");
        using var model = DalleModel.Create(configuration, seed: 1);
        var sizes = model.Sizes;
        Assert.Equal((10000, 256, 8, 64, 7), (sizes.TextVocabulary, sizes.TextLength, sizes.Heads, sizes.HeadWidth, sizes.ImageLossWeight));
        Assert.Equal((true, true), (sizes.Rotary, sizes.ShiftsTokens));
        Assert.Equal(
            (false, false, false, false), (sizes.Reversible, sizes.Stable, sizes.SandwichNorms, sizes.SharesEmbeddings));
        Assert.Equal([AttentionKind.Full, AttentionKind.Full], sizes.Kinds);
        Assert.Equal((2, 5, 10256 + 5), (model.CodesPerSide, model.CodebookSize, model.LogitsPerPosition));
    }

    [Fact]
    public void Names_of_older_packages_and_files_without_copies_give_the_same_model()
    {
        using var gradients = no_grad();
        foreach (var name in (string[])[TinyDalle.Plain, TinyDalle.Rotary])
        {
            using var scope = NewDisposeScope();
            using var expected = TinyDalle.Load(name);
            var tensors = expected.CheckpointTensors().Where(tensor => !tensor.Key.Contains("text_emb.linear", StringComparison.Ordinal)
                && tensor.Key != "transformer.pos_emb").ToDictionary(
                    tensor => tensor.Key.Replace(".fn.fn.fn", ".fn", StringComparison.Ordinal)
                        .Replace("weights.0", "weights_0", StringComparison.Ordinal), tensor => tensor.Value);
            tensors["logits_mask"] = zeros(1, 3, 3);
            if (name == TinyDalle.Rotary)
                tensors.Remove("to_logits.1.weight"); // as where tensors that are shared are saved once
            using var checkpoint = new TensorCheckpoint("older", tensors);
            using var model = DalleModel.Load(TinyDalle.Json(name, "config.json"), checkpoint);
            Assert.Equal(expected.ComputeFingerprint(), model.ComputeFingerprint());
        }
    }

    [Fact]
    public void Shared_weights_and_angles_that_differ_are_refused()
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = TinyDalle.Load(TinyDalle.Rotary);
        foreach (var name in (string[])["image_emb.linear.bias", "transformer.pos_emb"])
        {
            var tensors = model.CheckpointTensors().ToDictionary();
            tensors[name] = tensors[name] + 1;
            using var checkpoint = new TensorCheckpoint("changed", tensors);
            var error = Assert.Throws<InvalidDataException>(() => DalleModel.Load(model.Configuration, checkpoint));
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_codec_of_another_class_comes_from_its_folder_and_is_saved_with_the_model()
    {
        using var folder = new TemporaryFolder();
        using var codecFolder = new TemporaryFolder();
        using var saved = new TemporaryFolder();
        using (var codec = DiscreteVaeModel.Create(
            DiscreteVaeModel.Configure(imageSize: 16, codebookSize: 32, groups: 2, blocksPerGroup: 1, width: 4, decoderInputWidth: 4), seed: 1))
            codec.Save(codecFolder.Path);
        File.Copy(Path.Combine(TinyDalle.FolderOf(TinyDalle.Plain), "model.safetensors"), folder["model.safetensors"]);
        var configuration = TinyDalle.Json(TinyDalle.Plain, "config.json");
        (configuration["vae_class_name"], configuration["vae_params"]) = ("OpenAIDiscreteVAE", null);
        File.WriteAllText(folder["config.json"], configuration.ToJsonString());

        using var model = DalleModel.Load(folder.Path, codecFolder: codecFolder.Path);
        model.Save(saved.Path);
        using var again = DalleModel.Load(saved.Path);
        Assert.Equal(model.ComputeFingerprint(), again.ComputeFingerprint());
        using var scope = NewDisposeScope();
        var codes = randint(0, 32, [1, 64], ScalarType.Int64);
        Assert.True(model.Codec.Decode(codes).Equals(again.Codec.Decode(codes)));
        using var own = TinyDalle.Load(TinyDalle.Plain);
        using var text = zeros(1, 10, ScalarType.Int64);
        Assert.True(own.Forward(text, codes).Equals(again.Forward(text, codes)));
    }

    [Fact]
    public void A_damaged_file_of_the_package_is_refused_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(Path.Combine(TinyDalle.FolderOf(TinyDalle.Plain), "dalle.pt"));
        File.WriteAllBytes(folder["dalle.pt"], bytes[..(bytes.Length / 2)]);
        Assert.Throws<InvalidDataException>(() => DalleModel.Load(folder.Path));
    }
}
