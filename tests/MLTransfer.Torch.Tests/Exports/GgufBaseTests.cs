using System.Text;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Checkpoints;
using MLTransfer.Torch.Tests.Checkpoints.Gguf;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>A GGUF file is loaded as a network and a tokenizer, by its path in the place of a folder's.</summary>
public sealed class GgufBaseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Files => GgufReferences.Files;

    public static TheoryData<string> Checkpoints => new(
        "gpt2-tiny", "llama-tiny", "llama-tiny-linear", "llama-tiny-llama3", "llama-tiny-yarn", "llama-tiny-rope-parameters",
            "mistral-tiny",
        "qwen2-tiny", "qwen3-tiny", "gemma2-tiny", "gemma3-tiny", "gemma3-tiny-rope-parameters", "phi3-tiny", "gpt-neox-tiny", "t5-tiny",
        "t5-v1_1-tiny");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_of_the_reference_computes_the_logits_of_its_weights(string name, string type)
    {
        using var scope = NewDisposeScope();
        using var model = TransformerNetwork.Load(GgufReferences.Extract($"{name}.{type}.gguf", _folder));
        using var reference = SafetensorsFile.Open(GgufReferences.Extract($"{name}.forward.safetensors", _folder));
        var logits = model.Forward(new ModelInput(reference.Read("input_ids")));
        Assert.InRange((logits - reference.Read($"logits.{type}")).abs().max().item<float>(), 0, 1e-4f);
    }

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void What_was_written_is_read_as_the_same_network(string name)
    {
        using var scope = NewDisposeScope();
        using var model = FamilyFolders.Load(name);
        var tokenizer = TokenizerOf(model);
        GgufExporter.Export(model, tokenizer, _folder["model.gguf"], cancellationToken: TestContext.Current.CancellationToken);
        using var read = TransformerNetwork.Load(_folder["model.gguf"]);
        Assert.Equal(model.VocabularySize, read.VocabularySize);
        var ids = randint(2, model.VocabularySize - 1, [2, 12], ScalarType.Int64, generator: new Generator(3));
        Assert.InRange((Logits(model, ids) - Logits(read, ids)).abs().max().item<float>(), 0, 2e-5f);
        var again = TextTokenizer.Load(_folder["model.gguf"]);
        const string text = "Any text, 1234 of it;\n\n  and\tmore: caf\u00e9 \u4e2d\u6587 <|endoftext|> end.";
        Assert.Equal(tokenizer.Encode(text), again.Encode(text));
        Assert.Equal(tokenizer.EndOfSequenceId, again.EndOfSequenceId);
        Assert.Equal(tokenizer.Decode(tokenizer.Encode(text)), again.Decode(again.Encode(text)));
    }

    [Theory]
    [InlineData(GgufPrecision.Float16, 2e-2f)]
    [InlineData(GgufPrecision.BFloat16, 1e-1f)]
    [InlineData(GgufPrecision.Int8, 1e-1f)]
    public void Narrower_weights_compute_nearly_the_same(GgufPrecision precision, float tolerance)
    {
        using var scope = NewDisposeScope();
        using var model = FamilyFolders.Load("llama-tiny");
        GgufExporter.Export(model, TokenizerOf(model), _folder["narrow.gguf"], new GgufExportOptions { Precision = precision },
            cancellationToken: TestContext.Current.CancellationToken);
        using var read = TransformerNetwork.Load(_folder["narrow.gguf"]);
        var ids = randint(2, model.VocabularySize - 1, [2, 12], ScalarType.Int64, generator: new Generator(3));
        var difference = (Logits(model, ids) - Logits(read, ids)).abs().max().item<float>();
        Assert.InRange(difference, 1e-6f, tolerance * Logits(model, ids).abs().max().item<float>());
    }

    [Theory]
    [InlineData("bert-tiny", "bert")]
    [InlineData("smollm3-tiny", "smollm3")]
    [InlineData("llama-tiny-dynamic", "dynamic")]
    [InlineData("gptj-tiny", "gptj")]
    public void What_llama_cpp_would_not_compute_is_refused_by_name(string name, string reason)
    {
        using var model = FamilyFolders.Load(name);
        var tokenizer = TextTokenizer.Train(["any text"], new TokenizerTrainingOptions { VocabularySize = 260 },
            cancellationToken: TestContext.Current.CancellationToken);
        var message = Assert.Throws<NotSupportedException>(
            () => GgufExporter.Export(model, tokenizer, _folder["refused.gguf"],
                cancellationToken: TestContext.Current.CancellationToken)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Chat_templates_and_what_ends_a_turn_go_along()
    {
        const string Turns = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}";
        using var plain = FamilyFolders.Load("gpt2-tiny");
        var tokenizer = TokenizerOf(plain).WithTokens(["<|im_start|>", "<|im_end|>"]);
        var files = new Dictionary<string, byte[]>(tokenizer.Files)
        {
            ["chat_template.jinja"] = Encoding.UTF8.GetBytes(Turns),
            ["additional_chat_templates/tool_use.jinja"] = Encoding.UTF8.GetBytes("tools: " + Turns),
        };
        using var model = plain.WithTokens(700, 702);
        GgufExporter.Export(model, TextTokenizer.Load(files), _folder["chat.gguf"],
            cancellationToken: TestContext.Current.CancellationToken);

        var read = TextTokenizer.Load(_folder["chat.gguf"]);
        var chats = ChatFormat.Find(read)!;
        Assert.Equal(["default", "tool_use"], chats.TemplateNames.Order(StringComparer.Ordinal));
        var chat = new ChatInput { Messages = """[{"role": "user", "content": "Hi"}]""" };
        Assert.Equal("<|im_start|>user\nHi<|im_end|>\n", chats.Render(chat).Text);
        Assert.StartsWith("tools: ", chats.Render(chat, "tool_use").Text, StringComparison.Ordinal);
        Assert.Equal([700, .. read.Encode("user\nHi", addSpecialTokens: false), 701], chats.Encode(chat)[..^1]);
        Assert.Equal([0, 701], GenerationConfigurationFile.ReadEndOfSequenceIds(_folder["chat.gguf"]));
    }

    [Theory]
    [InlineData("llama-tiny.f32.gguf")]
    [InlineData("gpt2-tiny.q8_0.gguf")]
    public void A_file_whose_keys_were_damaged_is_loaded_or_refused(string name)
    {
        var valid = File.ReadAllBytes(GgufReferences.Extract(name, _folder));
        var path = _folder["damaged.gguf"];
        var refused = 0;
        for (var seed = 0; seed < Mutation.Rounds(60); seed++)
        {
            // The keys of the architecture, and the list of tensors: between them lies the vocabulary.
            var (keys, list) = (HostileFile.Scramble(valid[4..1300], seed), valid[1300..]);
            var random = new Random(seed);
            for (var i = 0; i < 2; i++)
                list[17_000 - 1300 + random.Next(1600)] = (byte)random.Next(256);
            File.WriteAllBytes(path, [.. "GGUF"u8, .. keys, .. list]);
            try
            {
                using var network = TransformerNetwork.Load(path);
                TextTokenizer.Load(path).Encode("any text");
            }
            catch (Exception exception) when (exception is InvalidDataException or NotSupportedException)
            {
                Assert.NotEmpty(exception.Message);
                refused++;
            }
        }

        Assert.InRange(refused, Mutation.Rounds(60) / 4, Mutation.Rounds(60));
    }

    internal static TextTokenizer TokenizerOf(TransformerNetwork model) => model.VocabularySize >= 700
        ? TextTokenizer.Load(FamilyFolders.PathOf("gpt2-tiny"))
        : TextTokenizer.Train(["any text"], new TokenizerTrainingOptions { VocabularySize = 260 });

    private static Tensor Logits(TransformerNetwork model, Tensor ids)
    {
        using var gradients = no_grad();
        if (model is not EncoderDecoderModel both)
            return model.Forward(new ModelInput(ids));
        using var encoded = both.Encode(new ModelInput(ids));
        return both.Forward(new ModelInput(ids) { Encoded = encoded });
    }
}
