using System.Text.Json;
using Microsoft.Extensions.AI;
using MLTransfer.Torch.Chats;
using Xunit;

namespace MLTransfer.Extensions.AI.Tests;

public sealed class AnswerReaderTests
{
    private static readonly CallMarkers s_hermes = new("<tool_call>", "</tool_call>");
    private static readonly CallMarkers s_whole = new("", "");
    private static readonly CallMarkers s_mistral = new("[TOOL_CALLS]", "");

    private static readonly AIFunctionDeclaration[] s_tools =
        [AIFunctionFactory.Create((int x) => x, "add"), AIFunctionFactory.Create(() => 1, "one")];

    public static TheoryData<string, CallMarkers?, string> Answers => new()
    {
        { "Just words <tool", null, "Just words <tool" },
        { """<tool_call>{"name": "add", "arguments": {"x": 1}}</tool_call>""", null, """add{"x":1}""" },
        {
            """
            I shall see.
            <tool_call>
            {"name": "add", "arguments": {"x": 1}}
            </tool_call>
            <tool_call>
            {"name": "one"}
            </tool_call>
            """, s_hermes, """I shall see.|add{"x":1}|one{}"""
        },
        { """<tool_call>{"name": "other", "arguments": "{\"x\": 2}"}""", s_hermes, """other{"x":2}""" }, // the turn's end closes it
        { """<tool_call>[{"name": "add", "arguments": {"x": 1}}, {"name": "one"}]</tool_call>""", s_hermes, """add{"x":1}|one{}""" },
        { "<tool_call>{\"name\": </tool_call> so", s_hermes, "<tool_call>{\"name\": </tool_call> so" }, // is none
        { "<tool_call>{\"no\": 1}", s_hermes, "<tool_call>{\"no\": 1}" },
        { """{"name": "add", "parameters": {"x": null}}""", s_whole, """add{"x":null}""" },
        { """ [{"name": "add", "arguments": {"x": 1}}]""", s_whole, """add{"x":1}""" },
        { """{"name": "Anna", "age": 7}""", s_whole, """{"name": "Anna", "age": 7}""" }, // JSON, but no function of the request
        { "[1] says so", s_whole, "[1] says so" },
        { """[TOOL_CALLS] [{"name": "add", "arguments": {"x": 1}, "id": "012345678"}]""", s_mistral, """add{"x":1}""" },
        { "[", s_mistral, "[" },
        { "[TOOL", s_mistral, "[TOOL" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Calls_are_found_however_the_answer_is_cut(string answer, CallMarkers? markers, string expected)
    {
        for (var length = 1; length <= answer.Length; length += length < 4 ? 1 : 7)
        {
            var reader = new AnswerReader(s_tools, markers, several: true);

            AIContent[] contents = [.. answer.Chunk(length).SelectMany(piece => reader.Append(new string(piece))), .. reader.Complete()];

            Assert.Equal(expected, Written(contents));
            Assert.Equal(contents.Any(content => content is FunctionCallContent), reader.HasCalls);
        }
    }

    [Fact]
    public void Of_several_calls_the_first_is_given_where_one_is_allowed()
    {
        var reader = new AnswerReader(s_tools, s_hermes, several: false);

        AIContent[] contents = [.. reader.Append(
            """<tool_call>{"name": "one"}</tool_call><tool_call>{"name": "add"}</tool_call>"""), .. reader.Complete()];

        Assert.Equal("one{}", Written(contents));
    }

    [Fact]
    public void Without_tools_pieces_go_through_as_they_are() => Assert.Equal(
        ["<tool_call>", "{"],
        new AnswerReader([], null, several: true) is var reader
            ? reader.Append("<tool_call>").Concat(reader.Append("{")).Concat(reader.Complete()).Select(content => $"{content}") : []);

    /// <summary>Texts joined, and calls.</summary>
    private static string Written(IEnumerable<AIContent> contents)
    {
        var parts = new List<string>();
        var isText = false;
        foreach (var content in contents)
        {
            var part = content is FunctionCallContent call ? call.Name + JsonSerializer.Serialize(call.Arguments) : $"{content}";
            if (isText && content is TextContent)
                parts[^1] += part;
            else
                parts.Add(part);
            isText = content is TextContent;
        }

        return string.Join('|', parts);
    }
}
