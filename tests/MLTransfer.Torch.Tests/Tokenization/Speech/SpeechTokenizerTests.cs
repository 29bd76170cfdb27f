using System.Text.Json.Nodes;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization.Speech;

public sealed class SpeechTokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vits-tiny-stochastic")]
    [InlineData("vits-tiny-speakers")]
    public void Texts_get_the_references_ids(string name)
    {
        var folder = RepositoryFiles.Data($"speech/{name}");
        var tokenizer = SpeechTokenizer.Load(folder);
        foreach (var entry in JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "tokenization.json")))!.AsArray())
        {
            var (text, ids) = (entry!["text"]!.GetValue<string>(), entry["ids"]!.AsArray().Select(id => id!.GetValue<int>()).ToArray());
            Assert.Equal(entry["prepared"]!.GetValue<string>(), tokenizer.Prepare(text));
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(entry["decoded"]!.GetValue<string>(), tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void A_network_that_reads_phonemes_takes_them_or_a_function_and_refuses_texts_by_the_entrys_name()
    {
        Write("""{"phonemize": true, "add_blank": false, "pad_token": "_", "unk_token": "<unk>"}""");
        var bare = SpeechTokenizer.Load(_folder.Path);
        Assert.True(bare.ReadsPhonemes);
        Assert.Contains("phonemize", Assert.Throws<NotSupportedException>(() => bare.Encode("Ab")).Message);
        Assert.Equal([2, 3, 1, 5], bare.Encode("ab \t?", isPhonemes: true));

        var made = SpeechTokenizer.Load(_folder.Path, phonemize: text => text == "ab" ? "ba" : "");
        Assert.Equal([3, 2], made.Encode("AB"));
    }

    [Fact]
    public void Other_letters_are_transliterated_by_a_function_or_refused_by_the_entrys_name()
    {
        Write("""{"phonemize": false, "is_uroman": true, "add_blank": false, "pad_token": "_"}""");
        var bare = SpeechTokenizer.Load(_folder.Path);
        Assert.Equal([2, 3], bare.Encode("ab"));
        Assert.Contains("is_uroman", Assert.Throws<NotSupportedException>(() => bare.Encode("аб")).Message);
        Assert.Equal([3], SpeechTokenizer.Load(_folder.Path, romanize: _ => "b").Encode("аб"));
    }

    [Fact]
    public void Without_normalizing_letters_keep_their_case_and_unknown_ones_become_the_unknown_token()
    {
        Write("""{"phonemize": false, "normalize": false, "add_blank": true, "pad_token": "_", "unk_token": "<unk>"}""");
        Assert.Equal([0, 5, 0, 1, 0, 2, 0, 1, 0], SpeechTokenizer.Load(_folder.Path).Encode("A a "));
    }

    [Fact]
    public void Romanian_letters_of_one_sound_are_one_and_the_class_of_another_tokenizer_is_refused()
    {
        File.WriteAllText(_folder["vocab.json"], """{"_": 0, " ": 1, "ţ": 2, "<unk>": 3}""");
        File.WriteAllText(
            _folder["tokenizer_config.json"], """{"phonemize": false, "add_blank": false, "language": "ron", "pad_token": "_"}""");
        Assert.Equal([2], SpeechTokenizer.Load(_folder.Path).Encode("Ț"));
        File.WriteAllText(_folder["tokenizer_config.json"], """{"tokenizer_class": "BertTokenizer"}""");
        Assert.Contains("BertTokenizer", Assert.Throws<NotSupportedException>(() => SpeechTokenizer.Load(_folder.Path)).Message);
    }

    [Fact]
    public void Special_tokens_take_spaces_along_and_stand_alone_where_they_say_so()
    {
        File.WriteAllText(_folder["vocab.json"], """{"_": 0, " ": 1, "a": 2, "b": 3, "[x]": 4, "<unk>": 5, "[": 6, "x": 7, "]": 8}""");
        File.WriteAllText(_folder["tokenizer_config.json"], """
            {"phonemize": false, "normalize": false, "add_blank": false, "pad_token": "_", "unk_token": "<unk>", "added_tokens_decoder": {
            "4": {"content": "[x]", "lstrip": true, "rstrip": true, "single_word": true, "normalized": false, "special": true}}}
            """);
        var tokenizer = SpeechTokenizer.Load(_folder.Path);
        Assert.Equal([2, 6, 7, 8, 3], tokenizer.Encode("a[x] b"));
        Assert.Equal([2, 4, 2], tokenizer.Encode("a [x] a"));
    }

    [Fact]
    public void Further_characters_come_behind_and_are_saved()
    {
        Write("""{"phonemize": false, "pad_token": "_", "unk_token": "<unk>"}""");
        var tokenizer = SpeechTokenizer.Load(_folder.Path);
        Assert.Equal(["ä", "!"], tokenizer.UnknownCharacters(["Äa", "ä!"]));
        tokenizer.WithCharacters(["ä"], firstId: 9).Save(_folder.Path);
        var loaded = SpeechTokenizer.Load(_folder.Path);
        Assert.Equal([0, 2, 0, 9, 0], loaded.Encode("aÄ"));
        Assert.Equal(10, loaded.VocabularySize);
        Assert.Throws<ArgumentException>(() => loaded.WithCharacters(["ä"]));
    }

    private void Write(string configuration)
    {
        File.WriteAllText(_folder["vocab.json"], """{"_": 0, " ": 1, "a": 2, "b": 3, "c": 4, "<unk>": 5}""");
        File.WriteAllText(_folder["tokenizer_config.json"], configuration);
    }
}
