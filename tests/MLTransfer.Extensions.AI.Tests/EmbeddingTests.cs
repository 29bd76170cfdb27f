using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class EmbeddingTests
{
    private static readonly string[] s_texts = ["the old king", "a", "the queen was in the garden and saw a fox", "the old king"];

    [Fact]
    public async Task Of_a_decoder_they_are_the_mean_of_the_last_hidden_states_of_length_1()
    {
        using var model = new MLContext().Generation.LoadPretrained();
        using var generator = model.AsEmbeddingGenerator();

        var made = await generator.GenerateAsync(s_texts);

        AssertVectors(model.Tokenizer, s_texts, made, ids => model.Network.ComputeHiddenStates(new ModelInput(ids)));
        Assert.Equal(made[0].Vector.Length, generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
        Assert.Equal("mltransfer/tales", made[0].ModelId);
        Assert.Equal(
            [.. made.Select(embedding => embedding.Vector.ToArray())], model.Embed(s_texts).Select(embedding => embedding.Vector));
    }

    [Fact]
    public async Task Of_an_encoder_with_a_decoder_they_are_of_the_encoder_and_of_a_pipeline_those_of_its_zip()
    {
        var ml = new MLContext(seed: 1);
        using var folder = new TemporaryFolder();
        var rows = ml.Data.LoadFromEnumerable(Array.Empty<TextRow>());
        using var fitted = ml.Transforms.CopyColumns("Opening", "Prompt")
            .Append(ml.Transforms.Text.GenerateText("Out", "Opening", model: RepositoryFiles.Data("families/t5-tiny"))).Fit(rows);
        ml.Generation.Save(fitted, rows.Schema, folder["text.zip"]);
        using var generator = fitted.AsEmbeddingGenerator();
        using var loaded = ml.Model.Load(folder["text.zip"], out _).AsEmbeddingGenerator(ownsModel: true);

        var made = await generator.GenerateAsync(s_texts);
        var again = await loaded.GenerateAsync(s_texts);

        var model = ml.Generation.GetTextGenerator(fitted);
        AssertVectors(model.Tokenizer, s_texts, made, ids =>
        {
            using var encoded = ((EncoderDecoderModel)model.Network).Encode(new ModelInput(ids));
            return encoded.HiddenStates.clone();
        });
        Assert.Equal(made.Select(embedding => embedding.Vector.ToArray()), again.Select(embedding => embedding.Vector.ToArray()));
    }

    [Fact]
    public async Task Of_a_text_infiller_they_are_before_its_head_and_a_long_text_is_read_in_pieces()
    {
        using var folder = new TemporaryFolder();
        using var model = TextInfillingModel.Load(RepositoryFiles.Data("families/bert-tiny"));
        using var headless = Headless(RepositoryFiles.Data("families/bert-tiny"), folder);
        using var generator = model.AsEmbeddingGenerator();
        var context = model.Network.ContextLength;
        string[] texts = [string.Join(' ', Enumerable.Repeat("the old king", context)), "a fox"];

        var made = await generator.GenerateAsync(texts);

        Assert.True(made.Usage!.InputTokenCount > 2 * context);
        Assert.Equal(made.Usage.InputTokenCount, texts.Sum(text => model.Tokenizer.Encode(text).Length));
        AssertVectors(model.Tokenizer, texts, made, ids => cat(
            [.. Enumerable.Range(0, (int)((ids.shape[1] + context - 1) / context)).Select(piece => headless.ComputeHiddenStates(
                new ModelInput(ids[.., (piece * context)..(int)Math.Min(ids.shape[1], (piece + 1) * context)])))], 1));
    }

    [Fact]
    public async Task What_there_is_not_is_refused_by_name()
    {
        using var generator = new MLContext().Generation.LoadPretrained().AsEmbeddingGenerator(ownsModel: true);

        var dimensions = await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(["a"], new() { Dimensions = 3 }));
        var empty = await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["a", ""]));

        Assert.StartsWith("Dimensions", dimensions.Message, StringComparison.Ordinal);
        Assert.Contains("Text 1 is empty", empty.Message, StringComparison.Ordinal);
    }

    /// <summary>Compares with rows that are read one by one.</summary>
    private static void AssertVectors(
        TextTokenizer tokenizer, string[] texts, GeneratedEmbeddings<Embedding<float>> made, Func<Tensor, Tensor> states)
    {
        Assert.Equal(texts.Length, made.Count);
        foreach (var (text, embedding) in texts.Zip(made))
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            long[] ids = [.. tokenizer.Encode(text)];
            var mean = states(tensor(ids).unsqueeze(0)).mean([1]).squeeze(0);
            var expected = (mean / mean.norm()).data<float>().ToArray();
            Assert.All(expected.Zip(embedding.Vector.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    /// <summary>The encoder without its head, whose states no transform has gone over: a folder without the tensors of the head.</summary>
    private static TransformerNetwork Headless(string model, TemporaryFolder folder)
    {
        var path = Directory.CreateDirectory(folder["headless"]).FullName;
        File.WriteAllText(Path.Combine(path, "config.json"), File.ReadAllText(Path.Combine(model, "config.json"))
            .Replace("BertForMaskedLM", "BertModel", StringComparison.Ordinal));
        var all = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(all);
        var (header, data) = (new JsonObject(), new MemoryStream());
        foreach (var (name, entry) in JsonNode.Parse(all.AsSpan(8, length))!.AsObject())
        {
            if (name.StartsWith("cls.", StringComparison.Ordinal) || name.StartsWith("__", StringComparison.Ordinal))
                continue;
            var kept = entry!.DeepClone().AsObject();
            int[] span = [.. kept["data_offsets"]!.AsArray().Select(offset => (int)offset!)];
            kept["data_offsets"] = new JsonArray((int)data.Length, (int)data.Length + span[1] - span[0]);
            data.Write(all, 8 + length + span[0], span[1] - span[0]);
            header[name] = kept;
        }

        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        File.WriteAllBytes(
            Path.Combine(path, "model.safetensors"), [.. BitConverter.GetBytes((long)text.Length), .. text, .. data.ToArray()]);
        return TransformerNetwork.Load(path);
    }
}
