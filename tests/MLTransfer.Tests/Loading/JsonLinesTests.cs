using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Loading;

public sealed class JsonLinesTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Objects_become_rows_file_after_file_each_time_they_are_read()
    {
        var one = Write("one.jsonl", """{"prompt": "é \"a\"", "Number": 1.5, "numbers": [1, 2], "other": {"x": 1}}""", "", "  ");
        var two = Write("two.jsonl", """{"Numbers": [3, 4], "prompt": "b", "completion": null, "number": -2}""");

        var data = _ml.Data.LoadFromJsonLines<Row>(one, two);

        Assert.Equal(["Prompt", "Completion", "Number", "Numbers"], data.Schema.Select(column => column.Name));
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 2), data.Schema["Numbers"].Type);
        Assert.Equal(["é \"a\"", "b"], data.GetColumn<string>("Prompt"));
        Assert.Equal(["", ""], data.GetColumn<string>("Completion"));
        Assert.Equal([1.5f, -2f], data.GetColumn<float>("Number"));
        Assert.Equal([[1f, 2f], [3f, 4f]], data.GetColumn<float[]>("Numbers"));
        File.AppendAllText(two, """{"prompt": "c", "number": 0, "numbers": [5, 6]}""");
        Assert.Equal(3, data.GetColumn<string>("Prompt").Count());
    }

    [Fact]
    public void An_object_or_a_list_is_its_text_in_a_column_of_texts()
    {
        File.WriteAllText(_folder["chats.jsonl"], """{"messages": [{"role": "user", "n": 1.0}], "tools": {"é": null}}""");
        var chat = Assert.Single(_ml.Data.CreateEnumerable<Chat>(_ml.Data.LoadFromJsonLines<Chat>(_folder["chats.jsonl"]), false));
        Assert.Equal("""[{"role": "user", "n": 1.0}]""", chat.Messages);
        Assert.Equal("""{"é": null}""", chat.Tools);
        File.WriteAllText(_folder["chats.jsonl"], """{"messages": 1}""");
        Assert.Contains("messages", Assert.Throws<InvalidDataException>(() =>
            _ml.Data.CreateEnumerable<Chat>(_ml.Data.LoadFromJsonLines<Chat>(_folder["chats.jsonl"]), false).ToList()).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"prompt": "a", "number": 1""", "line 3")]
    [InlineData("""{"prompt": "a", "numbers": [1, 2]}""", "number")]
    [InlineData("""{"prompt": null, "number": 1, "numbers": [1, 2]}""", "Prompt")]
    [InlineData("""{"prompt": "a", "number": "x", "numbers": [1, 2]}""", "number")]
    [InlineData("""{"prompt": "a", "prompt": "b", "number": 1, "numbers": [1, 2]}""", "prompt")]
    [InlineData("null", "null")]
    [InlineData("[1]", "line 3")]
    public void What_is_wrong_with_a_line_is_told_with_file_and_line(string line, string expected)
    {
        var path = Write("bad.jsonl", """{"prompt": "a", "number": 1, "numbers": [1, 2]}""", "", line);
        var data = _ml.Data.LoadFromJsonLines<Row>(path);

        var message = Assert.Throws<InvalidDataException>(() => data.GetColumn<string>("Prompt").ToList()).Message;

        Assert.StartsWith($"'{path}', line 3 ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Bytes_that_are_no_text_and_files_that_are_not_there_are_told()
    {
        File.WriteAllBytes(
            _folder["latin.jsonl"], Encoding.Latin1.GetBytes("""{"prompt": "café", "number": 1, "numbers": [1, 2]}"""));

        var latin = _ml.Data.LoadFromJsonLines<Row>(_folder["latin.jsonl"]);

        var message = Assert.Throws<InvalidDataException>(() => latin.GetColumn<string>("Prompt").ToList()).Message;
        Assert.Contains("latin.jsonl', line 1", message, StringComparison.Ordinal);
        Assert.Contains("nothing.jsonl", Assert.Throws<FileNotFoundException>(
            () => _ml.Data.LoadFromJsonLines<Row>(_folder["nothing.jsonl"])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _ml.Data.LoadFromJsonLines<Row>());
    }

    private string Write(string name, params string[] lines)
    {
        File.WriteAllText(_folder[name], string.Join('\n', lines) + "\n");
        return _folder[name];
    }

    private sealed class Row
    {
        public string Prompt { get; set; } = "";

        public string? Completion { get; set; }

        public float Number { get; set; }

        [VectorType(2)]
        public float[] Numbers { get; set; } = [];
    }

    private sealed class Chat
    {
        public string Messages { get; set; } = "";

        public string? Tools { get; set; }
    }
}
