using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
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

    [Theory]
    [InlineData("OpenAIDiscreteVAE")]
    [InlineData("VQGanVAE")]
    public void A_codec_of_another_class_comes_from_its_folder_and_is_saved_with_the_model(string codecClass)
    {
        using var folder = new TemporaryFolder();
        using var codecFolder = new TemporaryFolder();
        using var saved = new TemporaryFolder();
        using (ImageCodec codec = codecClass == "VQGanVAE"
            ? VqganModel.Load(RepositoryFiles.Data("images/vqgan-tiny"))
            : DiscreteVaeModel.Create(Authors(imageSize: 16, groups: 2, codebookSize: 32), seed: 1))
            codec.Save(codecFolder.Path);
        File.Copy(Path.Combine(TinyDalle.FolderOf(TinyDalle.Plain), "model.safetensors"), folder["model.safetensors"]);
        var configuration = TinyDalle.Json(TinyDalle.Plain, "config.json");
        (configuration["vae_class_name"], configuration["vae_params"]) = (codecClass, null);
        File.WriteAllText(folder["config.json"], configuration.ToJsonString());
        if (codecClass == "VQGanVAE")
        {
            // its sizes are others than the transformer's
            Assert.Contains("to_logits", Assert.Throws<InvalidDataException>(
                () => DalleModel.Load(folder.Path, codecFolder: codecFolder.Path)).Message, StringComparison.Ordinal);
            using var fitting = DalleModel.Create(
                DalleModel.Configure(null, 9, 3, width: 8, depth: 1, heads: 1, headWidth: 8), seed: 1,
                codec: VqganModel.Load(codecFolder.Path));
            AssertIsSaved(fitting, saved).Dispose();
            return;
        }

        using var model = DalleModel.Load(folder.Path, codecFolder: codecFolder.Path);
        using var again = AssertIsSaved(model, saved);
        using var scope = NewDisposeScope();
        using var own = TinyDalle.Load(TinyDalle.Plain);
        var (text, codes) = (zeros(1, 10, ScalarType.Int64), randint(0, 32, [1, 64], ScalarType.Int64));
        Assert.True(own.Forward(text, codes).Equals(again.Forward(text, codes)));
    }

    [Fact]
    public void The_codec_of_the_authors_is_read_from_a_file_that_has_its_parts()
    {
        using var saved = new TemporaryFolder();
        using var model = DalleModel.Create(
            DalleModel.Configure(null, 9, 3, width: 8, depth: 1, heads: 1, headWidth: 8), seed: 1,
            codec: DiscreteVaeModel.Create(Authors(imageSize: 256, groups: 4, codebookSize: 8), seed: 1));
        var configuration = model.Configuration.DeepClone().AsObject();
        configuration.Remove("codec");
        configuration["vae_class_name"] = "OpenAIDiscreteVAE";
        using var checkpoint = new TensorCheckpoint("the package's file", model.CheckpointTensors().Select(tensor => KeyValuePair.Create(
            tensor.Key.Replace("vae.encoder.", "vae.enc.", StringComparison.Ordinal)
                .Replace("vae.decoder.", "vae.dec.", StringComparison.Ordinal), tensor.Value)));
        using var read = DalleModel.Load(configuration, checkpoint);
        Assert.Equal(model.ComputeFingerprint(), read.ComputeFingerprint());
        AssertIsSaved(read, saved).Dispose();
    }

    [Fact]
    public void A_damaged_file_of_the_package_is_refused_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(Path.Combine(TinyDalle.FolderOf(TinyDalle.Plain), "dalle.pt"));
        File.WriteAllBytes(folder["dalle.pt"], bytes[..(bytes.Length / 2)]);
        Assert.Throws<InvalidDataException>(() => DalleModel.Load(folder.Path));
    }

    private static JsonObject Authors(int imageSize, int groups, int codebookSize) => DiscreteVaeModel.Configure(
        imageSize, codebookSize, groups, blocksPerGroup: 1, width: 4, decoderInputWidth: 4);

    private static DalleModel AssertIsSaved(DalleModel model, TemporaryFolder folder)
    {
        model.Save(folder.Path);
        var again = DalleModel.Load(folder.Path);
        Assert.Equal(model.ComputeFingerprint(), again.ComputeFingerprint());
        using var scope = NewDisposeScope();
        var codes = randint(0, model.CodebookSize, [1, model.CodesPerSide * model.CodesPerSide], ScalarType.Int64);
        Assert.True(model.Codec.Decode(codes).Equals(again.Codec.Decode(codes)));
        return again;
    }
}
