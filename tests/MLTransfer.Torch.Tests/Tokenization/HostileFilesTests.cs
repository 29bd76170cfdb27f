using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class HostileFilesTests
{
    [Theory]
    [InlineData("""{"a":0""", "not valid JSON")]
    [InlineData("""["a"]""", "expected an object")]
    [InlineData("""{}""", "empty")]
    [InlineData("""{"a":-1}""", "expected a token id")]
    [InlineData("""{"a":1.5}""", "expected a token id")]
    [InlineData("""{"a":"0"}""", "expected a token id")]
    [InlineData("""{"a":2000000000}""", "expected a token id")]
    [InlineData("""{"a":99999999999999999999}""", "expected a token id")]
    [InlineData("""{"a":0,"b":0}""", "which token 'a' has already")]
    [InlineData("""{"a":0,"a":1}""", "not valid JSON")]
    [InlineData("""{"\ud800":0}""", "not valid")]
    public void A_malformed_vocabulary_is_refused_by_name(string vocabulary, string what) =>
        AssertRefused("vocab.json", what, ("vocab.json", vocabulary), ("merges.txt", "#version: 0.2\n"));

    [Theory]
    [InlineData("a b c", "line 2")]
    [InlineData("ab", "line 2")]
    [InlineData(" b", "line 2")]
    [InlineData("a ", "line 2")]
    [InlineData("a z", "merge 1 ('a' with 'z') needs the token 'z'")]
    [InlineData("b a", "merge 1 ('b' with 'a') needs the token 'ba'")]
    public void Malformed_merges_are_refused_by_name(string line, string what) =>
        AssertRefused("merges.txt", what, ("vocab.json", """{"a":0,"b":1,"ab":2}"""), ("merges.txt", "#version: 0.2\n" + line + "\n"));

    [Fact]
    public void Merges_that_are_no_text_are_refused_by_name()
    {
        var files = new Dictionary<string, byte[]> { ["vocab.json"] = "{\"a\":0}"u8.ToArray(), ["merges.txt"] = [0xFF, 0xFE, 0x00] };

        Assert.Contains("merges.txt is not valid UTF-8", Assert.Throws<InvalidDataException>(() => TextTokenizer.Load(files)).Message);
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"model_max_length":-5}""", "model_max_length")]
    [InlineData("tokenizer_config.json", """{"add_prefix_space":"yes"}""", "add_prefix_space")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"x":{"content":"y"}}}""", "'x'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"0":{"content":"y"}}}""", "already")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"7":{"content":""}}}""", "empty")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder":{"7":{}}}""", "'content'")]
    [InlineData("tokenizer_config.json", """{"add_bos_token":true}""", "bos_token")]
    [InlineData("added_tokens.json", """{"a":5}""", "gives it id 0")]
    [InlineData("special_tokens_map.json", """{"eos_token":5}""", "eos_token")]
    [InlineData("special_tokens_map.json", """{"eos_token":"\ud800"}""", "not valid Unicode")]
    public void A_malformed_configuration_is_refused_by_name(string file, string content, string what) =>
        AssertRefused(file, what, ("vocab.json", """{"a":0,"b":1,"ab":2}"""), ("merges.txt", "a b"), (file, content));

    [Theory]
    [InlineData("model", """{"type":"Trigram","vocab":{}}""", "$.model is the model 'Trigram'")]
    [InlineData("pre_tokenizer", """{"type":"Other"}""", "$.pre_tokenizer is the pre-tokenizer 'Other'")]
    [InlineData(
        "pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"Other"}]}""",
            "$.pre_tokenizer.pretokenizers[1]")]
    [InlineData("normalizer", """{"type":"Other"}""", "the normalizer 'Other'")]
    [InlineData("decoder", """{"type":"Other"}""", "the decoder 'Other'")]
    [InlineData("post_processor", """{"type":"Other"}""", "the post-processor 'Other'")]
    public void A_stage_that_is_not_known_is_refused_with_its_name_and_place(string part, string value, string what)
    {
        string message = RefusedAsUnknown(part, value);

        Assert.Contains("tokenizer.json: ", message);
        Assert.Contains(what, message);
        Assert.Contains("expected", message);
    }

    [Theory]
    [InlineData("model.dropout", "0.1", "$.model.dropout")]
    [InlineData("model.weights", "1", "$.model has the option 'weights'")]
    [InlineData("vocabulary", "1", "$ has the option 'vocabulary'")]
    [InlineData("normalizer", """{"type":"NFC","strength":3}""", "$.normalizer has the option 'strength'")]
    [InlineData(
        "pre_tokenizer", """{"type":"Split","pattern":{"Glob":"*"},"behavior":"Isolated"}""",
            "$.pre_tokenizer.pattern has the option 'Glob'")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"(?~a)"},"behavior":"Isolated"}""", "'(?~'")]
    [InlineData("decoder", """{"type":"Strip","content":" ","start":1,"stop":0,"middle":2}""", "$.decoder has the option 'middle'")]
    public void An_option_that_is_not_known_is_refused_with_its_name_and_place(string part, string value, string what) =>
        Assert.Contains(what, RefusedAsUnknown(part, value));

    [Theory]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated"}""", "$.pre_tokenizer.pattern.Regex")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"String":"a"},"behavior":"Nowhere"}""", "$.pre_tokenizer.behavior")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"ab"}""", "$.pre_tokenizer.replacement")]
    [InlineData("pre_tokenizer", """{"type":"FixedLength","length":0}""", "$.pre_tokenizer.length")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"!"}""", "$.normalizer.precompiled_charsmap")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"/////w=="}""", "$.normalizer.precompiled_charsmap")]
    [InlineData("model", """{"type":"Unigram","unk_id":7,"vocab":[["a",0.0]]}""", "$.model.unk_id")]
    [InlineData("padding", """{"strategy":"Never"}""", "$.padding.strategy")]
    [InlineData("truncation", """{"max_length":-1}""", "$.truncation.max_length")]
    [InlineData("model", "5", "$.model")]
    [InlineData("model.vocab", "null", "'vocab'")]
    [InlineData("model.merges", """[["a","b","c"]]""", "$.model.merges[0]")]
    [InlineData("model.merges", """[["",""]]""", "$.model.merges[0]")]
    [InlineData("model.merges", """["ab"]""", "$.model.merges[0]")]
    [InlineData("model.merges", """[["a","nowhere"]]""", "'nowhere'")]
    [InlineData("model.unk_token", "\"<unk>\"", "'<unk>'")]
    [InlineData("added_tokens", """[{"id":-1,"content":"x"}]""", "$.added_tokens[0].id")]
    [InlineData("added_tokens", """[{"id":5,"content":"<x>"}]""", "already")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[],"special_tokens":{}}""", "$.post_processor")]
    [InlineData("post_processor", """{"type":"BertProcessing","cls":["a",5000],"sep":["b",1]}""", "5000")]
    public void A_malformed_tokenizer_json_is_refused_with_the_place(string part, string value, string what)
    {
        Dictionary<string, byte[]> files = TokenizerData.Changed(root => Set(root, part, value));

        string message = Assert.Throws<InvalidDataException>(() => TextTokenizer.Load(files)).Message;
        Assert.Contains("tokenizer.json", message);
        Assert.Contains(what, message);
    }

    [Fact]
    public void Unicode_composition_needs_no_data_of_the_runtime()
    {
        Dictionary<string, byte[]> files = TokenizerData.Changed(root => Set(root, "normalizer", """{"type":"NFC"}"""));

        Assert.Equal(TokenizerData.Tokenizer.Encode("é"), TextTokenizer.Load(files).Encode("e\u0301"));
    }

    [Fact]
    public void Another_tokenizer_with_the_same_files_is_refused_by_its_class()
    {
        Dictionary<string, byte[]> files = TokenizerData.Files("vocab.json", "merges.txt");
        files["tokenizer_config.json"] = TokenizerData.Json(new { tokenizer_class = "CTRLTokenizer" });

        Assert.Contains("CTRLTokenizer", Assert.Throws<NotSupportedException>(() => TextTokenizer.Load(files)).Message);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_is_refused_with_what_is_missing()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "vocab.json"), "{}");

            string message = Assert.Throws<FileNotFoundException>(() => TextTokenizer.Load(folder)).Message;
            Assert.Contains(folder, message);
            Assert.Contains("merges.txt", message);

            using (FileStream huge = File.Create(Path.Combine(folder, "tokenizer.json")))
                huge.SetLength(300L << 20);
            Assert.Contains("tokenizer.json", Assert.Throws<InvalidDataException>(() => TextTokenizer.Load(folder)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Assert.Throws<DirectoryNotFoundException>(() => TextTokenizer.Load(folder));
    }

    [Property(MaxTest = 300)]
    public Property Damaged_files_are_refused_or_load_but_never_fail_otherwise() => Prop.ForAll(
        Gen.Elements("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
            .Zip(Gen.Choose(0, int.MaxValue)).ToArbitrary(), sample =>
        {
            (string name, int seed) = sample;
            var random = new Random(seed);
            Dictionary<string, byte[]> files = name == "tokenizer.json"
                ? TokenizerData.Files("tokenizer.json")
                : TokenizerData.Files("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json");
            byte[] content = files[name];
            for (int damage = random.Next(1, 4); damage > 0; damage--)
                content[random.Next(content.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                files[name] = content[..random.Next(content.Length)];

            try
            {
                TextTokenizer.Load(files).Encode(TokenizerData.Excerpt[..500]);
            }
            catch (Exception exception) when (exception is InvalidDataException or NotSupportedException)
            {
                Assert.NotEmpty(exception.Message);
            }
        });

    private static string RefusedAsUnknown(string part, string value)
    {
        Dictionary<string, byte[]> files = TokenizerData.Changed(root => Set(root, part, value));
        return Assert.Throws<NotSupportedException>(() => TextTokenizer.Load(files)).Message;
    }

    [Theory]
    [InlineData("sentencepiece/unigram-nmt-nfkc", "spiece.model")]
    [InlineData("sentencepiece/bpe-user-defined", "tokenizer.model")]
    [InlineData("tiktoken", "tokenizer.model")]
    public void A_damaged_model_file_is_refused_or_loads_but_never_fails_otherwise(string folder, string name)
    {
        var random = new Random(7);
        for (int run = 0; run < 60; run++)
        {
            Dictionary<string, byte[]> files = ReferenceArchive.Files(folder);
            byte[] content = files[name] = [.. files[name]];
            for (int damage = random.Next(1, 4); damage > 0; damage--)
                content[random.Next(content.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                files[name] = content[..random.Next(content.Length)];
            try
            {
                TextTokenizer tokenizer = TextTokenizer.Load(files);
                tokenizer.Decode(tokenizer.Encode("Hello, ﬁne wörld　𝒜!"));
            }
            catch (Exception exception) when (exception is InvalidDataException or NotSupportedException)
            {
                Assert.NotEmpty(exception.Message);
            }
        }
    }

    private static void AssertRefused(string file, string what, params (string Name, string Content)[] contents)
    {
        var files = contents.ToDictionary(entry => entry.Name, entry => Encoding.UTF8.GetBytes(entry.Content));

        string message = Assert.Throws<InvalidDataException>(() => TextTokenizer.Load(files)).Message;
        Assert.Contains(file, message);
        Assert.Contains(what, message);
    }

    private static void Set(JsonObject root, string part, string value)
    {
        string[] path = part.Split('.');
        JsonObject parent = path.Length == 1 ? root : root[path[0]]!.AsObject();
        parent[path[^1]] = JsonNode.Parse(value);
    }
}
