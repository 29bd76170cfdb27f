using Microsoft.ML.Data;

namespace MLTransfer.Tests.Pages;

/// <summary>The rows of the programs of <c>docs/data.md</c>.</summary>
internal static class DataRows
{
    internal static class Classes
    {
        #region Rows
        public sealed class Article
        {
            [LoadColumn(0)] public string Title { get; set; } = "";
            [LoadColumn(1)] public string Text { get; set; } = "";
        }

        public sealed class Question
        {
            public string Prompt { get; set; } = "";
            public string Completion { get; set; } = "";
        }

        public sealed class PictureFile
        {
            public string FileName { get; set; } = "";
            public string Kind { get; set; } = "";
        }
        #endregion
    }
}
